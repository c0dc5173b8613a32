"""Demo staff: one person per role, signed in with one click, their factor's code shown on the page.

Everything here refuses unless ``settings.DEMO_MODE``; a system check refuses that setting in production.
"""

import secrets
import time
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.core.cache import cache

from backoffice.accounts import roles
from backoffice.accounts.models import User

DOMAIN = "backlot.example"
# Second people for what takes two: the part of their address before the @, and their role.
SECONDS = {
    "super.second": roles.SUPER,
    "finance.second": roles.FINANCE,
    "moderation.second": roles.MODERATOR,
    "support.second": roles.SUPPORT,
}


class NotInDemoMode(RuntimeError):
    """Demo conveniences were asked for outside the demo."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One click on the sign-in page. ``key`` is what the button sends: the role, or the address of a second person."""

    key: str
    role: str
    role_name: str
    name: str
    email: str


def address(role: str) -> str:
    """The demo address of a role's person."""
    return f"{role.replace('_', '.')}@{DOMAIN}"


def second_address(key: str) -> str:
    """The demo address of a second person of `SECONDS`."""
    return f"{key}@{DOMAIN}"


def people() -> list[DemoPerson]:
    """The demo staff that exist, in the order of the roles, second people after the first, in one statement."""
    _only_in_demo()
    wanted = [(role, role, address(role)) for role in roles.ROLES]
    wanted += [(key, role, second_address(key)) for key, role in SECONDS.items()]
    emails = [email for _key, _role, email in wanted]
    known = dict(
        User.objects.filter(email__in=emails, is_staff=True, is_active=True).values_list("email", "display_name")
    )
    order = list(roles.ROLES)
    return [
        DemoPerson(key, role, str(roles.ROLES[role]), known[email], email)
        for key, role, email in sorted(wanted, key=lambda person: order.index(person[1]))
        if email in known
    ]


def person(key: str) -> User | None:
    """The demo person of a role, or the second person of that key."""
    _only_in_demo()
    if key not in roles.ROLES and key not in SECONDS:
        return None
    email = address(key) if key in roles.ROLES else second_address(key)
    return User.objects.filter(email=email, is_staff=True, is_active=True).first()


def is_demo_person(user: User) -> bool:
    """Whether this is one of the demo staff."""
    return settings.DEMO_MODE and user.is_staff and user.email.endswith(f"@{DOMAIN}")


def enrol(user: User) -> Authenticator:
    """Gives a demo person an authenticator app with a random secret; returns the one they have already."""
    _only_in_demo()
    known = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if not EmailAddress.objects.filter(user=user, email=user.email).exists():
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return known or TOTP.activate(user, generate_totp_secret()).instance


def random_password() -> str:
    """A password that nobody has to type: the demo signs in by a click, or prints what `make demo` sets."""
    return secrets.token_urlsafe(18)


def current_code(user: User) -> str:
    """The code that the person's authenticator app would show now; empty without an app or outside the demo.

    A code is good for one use. When this period's was used, the next period's is shown: the page says to
    wait.
    """
    if not is_demo_person(user):
        return ""
    authenticator = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if authenticator is None:
        return ""
    secret = decrypt(authenticator.data["secret"])
    return format_hotp_value(hotp_value(secret, int(time.time()) // mfa_settings.TOTP_PERIOD))


def seconds_until_usable(user: User, code: str) -> int:
    """Seconds to wait until the app shows a code that was not used yet; 0 when ``code`` is still good."""
    used = cache.get(f"allauth.mfa.totp.used?user={user.pk}&code={code}")
    return mfa_settings.TOTP_PERIOD - int(time.time()) % mfa_settings.TOTP_PERIOD if used else 0


def _only_in_demo() -> None:
    if not settings.DEMO_MODE:
        raise NotInDemoMode
