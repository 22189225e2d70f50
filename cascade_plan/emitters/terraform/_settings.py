"""What the reader of the files says himself: values of variables without a default, and where the state is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade_plan.languages.hcl import Block, comment, literal
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.plan import Plan

VALUES = "terraform.tfvars"
EXAMPLE = f"{VALUES}.example"
BACKEND = "backend.tf"
APPLY = Step("cloud", "Make what AWS runs", "terraform -chdir=infra init\nterraform -chdir=infra apply")


def artefacts(plan: Plan, head: str, variables: Iterable[Block]) -> Iterator[Artefact]:
    """Yield the values to give, with the step that writes them and the one that applies everything, and the backend."""
    asked = [block for block in variables if "default" not in (block.attributes or {})]
    given = tuple(Given(block.labels[0].upper(), str((block.attributes or {})["description"])) for block in asked)
    if asked:
        yield Artefact(
            EXAMPLE,
            f"{head}\n{_example(asked)}",
            f"Every variable that must be given, in {VALUES}; a step writes that file from the environment.",
            steps=(Step("cloud", "Write down what only you know", _written(asked)),),
            gives=given,
        )
    yield Artefact(
        f"{BACKEND}.example",
        f"{head}\n{_backend(plan)}",
        "Where Terraform keeps what it made.",
        steps=(APPLY,),
        by_hand=(
            f"Without it the state is a file on your disk. For more than one person, copy it to {BACKEND}, name a "
            "bucket of yours that keeps versions, and `terraform -chdir=infra init -migrate-state`."
        ),
    )


def _example(asked: Iterable[Block]) -> str:
    return "".join(
        f"{comment(str((block.attributes or {})['description']))}{block.labels[0]} = {_shape(block)}\n"
        for block in asked
    )


def _shape(block: Block) -> str:
    return '"..."' if _is_text(block) else '["..."]'


def _is_text(block: Block) -> bool:
    kind = (block.attributes or {})["type"]
    return getattr(kind, "text", "") == "string"


def _written(asked: Iterable[Block]) -> str:
    """Return the lines of a shell that write each value, a list as Terraform writes one."""
    lines = [
        f'{block.labels[0]} = "${{{block.labels[0].upper()}:?}}"'
        if _is_text(block)
        else f'{block.labels[0]} = ["$(printf %s "${{{block.labels[0].upper()}:?}}" | sed \'s/,/", "/g\')"]'
        for block in asked
    ]
    return "\n".join((f"cat >infra/{VALUES} <<END", *lines, "END"))


def _backend(plan: Plan) -> str:
    return f"""terraform {{
  backend "s3" {{
    bucket       = "the name of your bucket for state"
    key          = {literal(f"{plan.application}/terraform.tfstate")}
    region       = {literal(plan.scenario.region)}
    encrypt      = true
    use_lockfile = true
  }}
}}
"""
