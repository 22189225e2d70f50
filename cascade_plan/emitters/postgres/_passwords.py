"""passwords.py: gives the roles the passwords that are kept for them, without a server or its log seeing one."""

from __future__ import annotations

from cascade_plan.emitters._secrets import Secret
from cascade_plan.languages import python

_CODE = '''"""Reads the roles' passwords, as JSON, and prints SQL that sets them: python3 <<PATH>> < secret.json | psql

What it prints are SCRAM secrets, as \\\\password in psql sends them: neither the server nor its log sees a password.
"""

import base64
import hashlib
import hmac
import json
import os
import sys

ROLES = <<ROLES>>
"""Key of a role's name -> key of its password."""
ITERATIONS = 4096
"""PostgreSQL's default, https://www.postgresql.org/docs/16/runtime-config-connection.html, scram_iterations"""


def scram(password):
    """Return the secret that PostgreSQL keeps of a password (RFC 5802 and 7677)."""
    if not (password.isascii() and password.isprintable()):
        sys.exit("a password has other characters than printable ASCII: those are changed before they are hashed")
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256$%d:%s$%s:%s" % (ITERATIONS, *parts)


def main():
    """Print a statement for each role."""
    secret = json.load(sys.stdin)
    for name, password in ROLES.items():
        role = secret[name].replace('"', '""')
        print(f"ALTER ROLE \\"{role}\\" PASSWORD '{scram(secret[password])}';")


main()
'''


def render(secret: Secret, path: str, head: str) -> str:
    """Return passwords.py for the users of a secret."""
    keys = {secret.username_key(user): secret.password_key(user) for user in secret.users}
    lines = "".join(f"    {python.literal(name)}: {python.literal(key)},\n" for name, key in keys.items())
    return head + _CODE.replace("<<ROLES>>", f"{{\n{lines}}}").replace("<<PATH>>", path)
