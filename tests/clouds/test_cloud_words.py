"""What a cloud calls its services stands in its own folder, and in emitters that write files for that cloud alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from sources import Module, modules

from cascade_plan import registry
from cascade_plan.prices.products import price_list

EMITTERS = registry.names("emitters")
WORDS = frozenset(price_list("aws").services) - {"transfer", "prometheus"}
"""The services of AWS's prices, but for those that mean the same everywhere."""

CHOICES = "model.emit"
"""Where a scenario chooses who runs a thing, and calls each by its own name."""


def serves_only_aws(module: Module) -> bool:
    """Return whether a module is of an emitter that says so: its CLOUDS names AWS and no other cloud."""
    if module.parts[:1] != ("emitters",) or len(module.parts) < 3:
        return False
    artefacts = [each for each in modules() if each.name == f"emitters.{module.parts[1]}.artefacts"]
    nodes = [node for each in artefacts for node in each.tree.body]
    said = [ast.unparse(node) for node in nodes if isinstance(node, ast.Assign | ast.AnnAssign)]
    return any(re.fullmatch(r"CLOUDS\b[^=]*= .*'aws'.*", text) and text.count("'") == 2 for text in said)


def price_services(module: Module) -> Iterator[str]:
    """Yield the string literals of a module that are a service of AWS's prices; docstrings say what they like."""
    if module.parts[:2] == ("clouds", "aws") or module.name == CHOICES or serves_only_aws(module):
        return
    # An emitter may say that its files come after those of the one that is called eks.
    words = WORDS - {*EMITTERS} if module.parts[:1] == ("emitters",) else WORDS
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words:
            yield f"{module.name}:{node.lineno}: {node.value!r} is a service of AWS"


def test_the_words_are_the_services_of_its_products() -> None:
    assert {"ec2", "rds", "elasticache", "eks", "ebs", "elb", "sqs"} <= WORDS


def test_no_price_service_of_aws_stands_outside_its_folder() -> None:
    found = [problem for module in modules() for problem in price_services(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text", ["key = PriceKey('rds', 'x')", "if group.shape.service == 'ec2':\n    pass", "f'{1}' + 'sqs'"]
)
@pytest.mark.parametrize(
    "name", ["tiers.api.sizing", "prices.lines", "emitters.kubernetes.objects", "planning.billing"]
)
def test_a_breach_is_found(name: str, text: str) -> None:
    assert len(list(price_services(Module(name, text)))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clouds.aws.products", "key = PriceKey('rds', 'x')"),
        ("tiers.api.sizing", "'''Nodes, such as those of ec2.'''"),
        ("tiers.api.sizing", "what = 'vm'"),
        ("emitters.kubernetes.artefacts", "APPLIED_AFTER = ('eks',)"),
    ],
)
def test_what_is_allowed_passes(name: str, text: str) -> None:
    assert not list(price_services(Module(name, text)))
