"""Python source that both Python tests share: which account a user has, and how it logs in."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters.loadtest._loads import filled, room_user_count
from cascade_plan.languages.python import literal
from cascade_plan.model.plan import Plan

ACCESS: Final = (
    "LOADTEST_PASSWORD (test accounts log in), LOADTEST_TOKEN (a bearer token) or LOADTEST_ANONYMOUS=1 (no login)"
)
"""What one of must be set, as every script says that finds none."""
ENVIRONMENT: Final = """\
  LOADTEST_PASSWORD    the password of every test account: each logs in (no default: it is a credential)
  LOADTEST_EMAIL       their addresses  [user{user}@tenant{tenant}.example]
  LOADTEST_LOGIN_PATH  where they log in, by POST of email and password, for an answer {"token": ...}
                       [/api/v1/auth/login]
  LOADTEST_TOKEN       in place of a password: the bearer token that every request carries
  LOADTEST_ANONYMOUS   1 in place of both: requests carry none
"""

_CODE: Final = '''\
LOGIN_PATH = os.environ.get("LOADTEST_LOGIN_PATH", "/api/v1/auth/login")
EMAIL = os.environ.get("LOADTEST_EMAIL", "user{user}@tenant{tenant}.example")
PASSWORD = os.environ.get("LOADTEST_PASSWORD", "")
TOKEN = os.environ.get("LOADTEST_TOKEN", "")


def check_access():
    """Leave with a message when nothing says how users are known."""
    if not (PASSWORD or TOKEN or os.environ.get("LOADTEST_ANONYMOUS") == "1"):
        sys.exit("set <<ACCESS>>")


class Account:
<<ACCOUNT>>

    def headers(self, token):
        """Return what every request of this account carries."""
        return ({"Authorization": f"Bearer {token}"} if token else {}) | {"X-Tenant-ID": str(self.tenant)}
'''


_ROOM: Final = '''\
    """The account of a user: the same number always gets the same tenant, address and room."""

    def __init__(self, number):
        self.tenant = number % TENANTS + 1
        member = number // TENANTS
        self.email = EMAIL.replace("{user}", str(number + 1)).replace("{tenant}", str(self.tenant))
        # Rooms are numbered through all tenants, so that no two tenants share a number.
        self.room = str(member // USERS_PER_ROOM * TENANTS + self.tenant)

    def path(self, template):
        """Return a path with the room's number in place of each {placeholder}. Real identifiers: change this line."""
        return re.sub(r"\\{[^{}]*\\}", self.room, template)
'''
_ALONE: Final = '''\
    """The account of a user: the same number always gets the same tenant and address."""

    def __init__(self, number):
        self.number = str(number + 1)
        self.tenant = number % TENANTS + 1
        self.email = EMAIL.replace("{user}", self.number).replace("{tenant}", str(self.tenant))

    def path(self, template):
        """Return a path with its number in place of each {placeholder}. Real identifiers: change this line."""
        return re.sub(r"\\{[^{}]*\\}", self.number, template)
'''


def code(plan: Plan) -> str:
    """Return the class that knows a user's account, with a room where users share some."""
    return filled(_CODE, {"ACCESS": ACCESS, "ACCOUNT": (_ROOM if room_user_count(plan) else _ALONE).rstrip("\n")})


def data(plan: Plan) -> str:
    """Return the constants that the code reads."""
    tenants, room = plan.scenario.users.tenants, room_user_count(plan)
    shared = f"USERS_PER_ROOM = {literal(room)}  # who posts, and websocket.recipients_per_message\n" if room else ""
    return f"TENANTS = {literal(tenants)}\n{shared}"
