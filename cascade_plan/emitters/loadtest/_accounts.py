"""How a load test's users are known, and Python source that both Python tests share: which account a user has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cascade_plan.emitters.loadtest._loads import filled, room_user_count
from cascade_plan.languages.python import literal
from cascade_plan.model.artefact import Given
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Login

HOST: Final = Given("LOADTEST_HOST", "the URL of the system under test, such as https://staging.example.com")
PASSWORD: Final = Given("LOADTEST_PASSWORD", "the password of the test accounts, which log in")
TOKEN: Final = Given("LOADTEST_TOKEN", "a bearer token for all requests")

_ACCESS: Final = '''\
<<CONSTANTS>>

def check_access():
    """Leave with a message when nothing says how users are known."""
    if not <<ANY>>:
        sys.exit("set <<WORDS>>")
'''
_NO_ACCESS: Final = 'TOKEN = ""  # requests carry none\n'
_ACCOUNT: Final = '''\


class Account:
<<ACCOUNT>>

    def headers(self, token):
        """Return what every request of this account carries."""
        return <<HEADERS>>
'''
_ROOM: Final = '''\
    """The account of a user: the same number always gets the same tenant, name and room."""

    def __init__(self, number):
        self.tenant = number % TENANTS + 1
        member = number // TENANTS
<<USER>>        # Rooms are numbered through all tenants, so that no two tenants share a number.
        self.room = str(member // USERS_PER_ROOM * TENANTS + self.tenant)

    def path(self, template):
        """Return a path with the room's number in place of each {placeholder}. Real identifiers: change this line."""
        return re.sub(r"\\{[^{}]*\\}", self.room, template)
'''
_ALONE: Final = '''\
    """The account of a user: the same number always gets the same tenant and name."""

    def __init__(self, number):
        self.number = str(number + 1)
        self.tenant = number % TENANTS + 1
<<USER>>
    def path(self, template):
        """Return a path with its number in place of each {placeholder}. Real identifiers: change this line."""
        return re.sub(r"\\{[^{}]*\\}", self.number, template)
'''
_USER: Final = '        self.user = USER.replace("{user}", str(number + 1)).replace("{tenant}", str(self.tenant))\n'


def login(plan: Plan) -> Login | None:
    """Return the request by which users log in; None where they do not."""
    asked = plan.scenario.behaviour.login
    return asked if isinstance(asked, Login) else None


def secrets(plan: Plan) -> tuple[Given, ...]:
    """Return what says how users are known, one of which must be given; none where requests carry no token."""
    if login(plan):
        return (PASSWORD, TOKEN)
    return (TOKEN,) if plan.scenario.behaviour.login == "token" else ()


def access(plan: Plan) -> str:
    """Return which of them must be set, as every script says that finds none."""
    return " or ".join(f"{given.name} ({given.words})" for given in secrets(plan))


def example(plan: Plan, option: str = "") -> str:
    """Return how the first of them is given on a command line, each after an option; "" where there is none."""
    return "".join(f"{option}{given.name}=... " for given in secrets(plan)[:1])


def environment(plan: Plan) -> str:
    """Return the lines of a text that explain the variables, in the order they are looked at."""
    first, *others = secrets(plan) or (None,)
    lines = [f"  {first.name:<20} {first.words} (no default: it is a credential)\n"] if first else []
    return "".join(lines + [f"  {given.name:<20} in its place, {given.words}\n" for given in others if given])


def code(plan: Plan) -> str:
    """Return the constants of access, and the class that knows a user's account, its room where users share some."""
    names = [given.name.removeprefix("LOADTEST_") for given in secrets(plan)]
    variables = "".join(f'{name} = os.environ.get("LOADTEST_{name}", "")\n' for name in names)
    words = {
        "CONSTANTS": variables,
        "ANY": f"({' or '.join(names)})" if names[1:] else "".join(names),
        "WORDS": access(plan),
    }
    account = _ROOM if room_user_count(plan) else _ALONE
    parts = {
        "ACCOUNT": account.rstrip("\n"),
        "USER": _USER if login(plan) else "",
        "HEADERS": " | ".join(_headers(plan)),
    }
    return (filled(_ACCESS, words) if names else _NO_ACCESS) + filled(_ACCOUNT, parts)


def check(plan: Plan) -> str:
    """Return the line of a function that looks for a credential; "" where none is needed."""
    return "    check_access()\n" if secrets(plan) else ""


def constants(plan: Plan) -> Mapping[str, str]:
    """Return the constants of how a user is known, as the scenario has them."""
    behaviour, asked = plan.scenario.behaviour, login(plan)
    named = {"TENANT_HEADER": behaviour.tenant_header} if behaviour.tenant_header else {}
    if asked is None:
        return named
    return named | {
        "LOGIN_PATH": asked.request.partition(" ")[2],
        "USER": asked.user,
        "USER_FIELD": asked.user_field,
        "PASSWORD_FIELD": asked.password_field,
        "TOKEN_FIELD": asked.token_field,
    }


def data(plan: Plan) -> str:
    """Return the constants that the code reads, as Python."""
    named, room = constants(plan), room_user_count(plan)
    lines = "".join(f"{name} = {literal(value)}\n" for name, value in named.items())
    shared = f"USERS_PER_ROOM = {literal(room)}  # who posts, and websocket.recipients_per_message\n" if room else ""
    return f"{lines}TENANTS = {literal(plan.scenario.users.tenants)}\n{shared}"


def _headers(plan: Plan) -> tuple[str, ...]:
    tenant = ("{TENANT_HEADER: str(self.tenant)}",) if plan.scenario.behaviour.tenant_header else ()
    token = ('{"Authorization": f"Bearer {token}"}',) if secrets(plan) else ()
    return token + tenant or ("{}",)
