"""Kill switches: what is stopped at once and everywhere (C-005, N-074, PG-018).

A switch that is on is the normal state. It is read from the database on every use.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.configuration import values
from backoffice.configuration.defaults import DEFAULTS
from backoffice.configuration.setting import Level
from backoffice.core.errors import DomainError

PAYOUTS = "switch.payouts"
CHECKOUT = "switch.checkout"
UPLOADS = "switch.uploads"
REGISTRATION = "switch.registration"

# What the person outside reads.
REFUSALS: dict[str, str | Promise] = {
    PAYOUTS: gettext_lazy("Payouts are stopped for the moment. Please try again later."),
    CHECKOUT: gettext_lazy("Purchases are stopped for the moment. Please try again later."),
    UPLOADS: gettext_lazy("Uploads are stopped for the moment. Please try again later."),
    REGISTRATION: gettext_lazy("New registrations are stopped for the moment. Please try again later."),
}
# What staff read on the pages where it matters.
NOTICES: dict[str, str | Promise] = {
    PAYOUTS: gettext_lazy("Sending of payouts is switched off: approved payouts wait."),
    CHECKOUT: gettext_lazy("New purchases are switched off: customers cannot begin to pay."),
    UPLOADS: gettext_lazy("New uploads are switched off."),
    REGISTRATION: gettext_lazy("Registration is switched off: no new accounts and no new creator applications."),
}


class SwitchedOff(DomainError):
    """A kill switch stops this for everybody (G-005)."""

    default_code = "switched_off"
    http_status = 503


def keys() -> list[str]:
    """Every kill switch."""
    return [key for key, setting in DEFAULTS.items() if setting.level == Level.SWITCH]


def is_on(key: str) -> bool:
    """Whether work goes on, as the database says in this moment."""
    return bool(values.current(key))


def require(key: str) -> None:
    """Raises SwitchedOff while the switch is off."""
    if not is_on(key):
        raise SwitchedOff(_("This is stopped for the moment.") if key not in REFUSALS else str(REFUSALS[key]))


def stopped() -> list[str]:
    """The switches that are off, for the notices on screens: no statement when nothing changed."""
    return [key for key in keys() if not values.get(key)]
