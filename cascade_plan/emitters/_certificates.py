"""The certificates that servers in the cluster show: whoever deploys them gives them, as files."""

from __future__ import annotations

from cascade_plan.languages import shell
from cascade_plan.model.artefact import Given, Step
from cascade_plan.model.plan import Plan

KEYS = {"tls.crt": "CERTIFICATE", "tls.key": "KEY", "ca.crt": "CA"}
"""What a Secret of a certificate has, as cert-manager makes it -> the end of the variable that names the file.
Source: https://cert-manager.io/docs/usage/certificate/"""


def secret_name(plan: Plan, server: str) -> str:
    """Return what the Secret of a server's certificate is called."""
    return f"{plan.application}-{server}-tls"


def step(plan: Plan, server: str) -> Step:
    """Return the step that puts the files into a Secret."""
    files = "".join(f' \\\n  --from-file={key}="${{{_variable(server, end)}:?}}"' for key, end in KEYS.items())
    made = f"kubectl -n {shell.literal(plan.application)} create secret generic {secret_name(plan, server)}"
    command = f"{made}{files} \\\n  --dry-run=client -o yaml | kubectl apply -f -"
    return Step("workloads", f"Hand over the certificate of {server}", command)


def gives(server: str, names: str) -> tuple[Given, ...]:
    """Return the files that the step asks for; `names` is whom the certificate is for."""
    words = (
        f"The file of a certificate for {names}.",
        "The file of its private key.",
        "The file of its authority.",
    )
    return tuple(Given(_variable(server, end), text) for end, text in zip(KEYS.values(), words, strict=True))


def _variable(server: str, end: str) -> str:
    return f"{server.upper().replace('-', '_')}_{end}"
