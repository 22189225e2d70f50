"""The real AWS provider takes what is emitted: `terraform validate`, where there is a provider to ask.

No package index has it: TF_PLUGIN_DIR names a directory of plug-ins, as `terraform providers mirror` makes one. What
the emitted release has and an older one there lacks is told to it in the older words; everywhere else the schema in
`terraform_schema.json` says as much of names, and nothing of types and references.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from factories import make_plan
from servers import program

from cascade_plan.emitters.terraform import artefacts as infra
from cascade_plan.emitters.terraform.artefacts import PROVIDER
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

PLUGINS = os.environ.get("TF_PLUGIN_DIR", "")
pytestmark = pytest.mark.skipif(not PLUGINS, reason="TF_PLUGIN_DIR names no directory of Terraform's plug-ins")

OTHERS = {
    "of everything": {
        "tiers__search": {"kind": "api"},
        "tiers__reports": {"kind": "database", "shape": "db.test.large", "version": "17"},
        "tiers__queue": {},
        "tiers__worker": {},
        "tiers__objects": {},
        "tiers__registry": {},
        "tiers__pool": {"managed": True},
        "tiers__gateway": {"access_log_days": 30},
    },
    "Terraform's cluster": {"emit__nodes": "terraform"},
    "without a cluster": {"tiers__cluster": "off", "tiers__gateway": {"balancer": "nlb", "access_log_days": 30}},
}


def validated(made: Plan, directory: Path) -> str:
    """Return what Terraform says of the files, once the provider that is there has looked at them."""
    for file in infra.render(made):
        if file.path.endswith(".tf"):
            text = file.text.replace(f'"{PROVIDER}"', '">= 5.100"')
            text = re.sub(r"^ *passwords_wo_version .*\n", "", text, flags=re.M)
            text = re.sub(r"passwords_wo += .*", 'passwords = ["0123456789abcdef"]', text)
            (directory / file.path).write_text(text, encoding="utf-8")
    for command in (["init", f"-plugin-dir={PLUGINS}"], ["validate"]):
        done = subprocess.run(
            [program("terraform"), *command, "-no-color"],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            env={"HOME": str(directory), "PATH": ""},
        )
        if done.returncode:
            return done.stdout + done.stderr
    return ""


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_is_valid(name: str, tmp_path: Path) -> None:
    found = read(name)
    made = plan(found.scenario, found.book, found.origins, predicted=False)
    assert not validated(made, tmp_path)


@pytest.mark.parametrize("name", OTHERS)
def test_other_plans_are_valid(name: str, tmp_path: Path) -> None:
    assert not validated(make_plan(**OTHERS[name]), tmp_path)
