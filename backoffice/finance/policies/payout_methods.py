"""What a payout method may say (N-006 to N-011)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext as _

from backoffice.core import money, percent
from backoffice.core.errors import Invalid
from backoffice.finance.models import PayoutMethod
from backoffice.finance.policies import rounding

# N-014: no payout is larger, so no fee and no minimum is.
CEILING_MINOR = 9_999_999_999
LONGEST_HOURS = 24 * 90


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be changed of a method; amounts in minor units of its currency, countries as ISO codes (none: all)."""

    fee_bp: int
    fee_fixed_minor: int
    fee_min_minor: int | None
    fee_max_minor: int | None
    minimum_minor: int | None
    countries: tuple[str, ...]
    hours_min: int | None
    hours_max: int | None
    enabled: bool

    @classmethod
    def of(cls, method: PayoutMethod) -> Self:
        """What is in force."""
        values = {name: getattr(method, name) for name in cls.__dataclass_fields__}
        return cls(**{**values, "countries": tuple(sorted(method.countries))})

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The settings out of a payload."""
        return cls(**{**data, "countries": tuple(data["countries"])})

    def as_dict(self) -> dict[str, Any]:
        """Field by field, as a payload or a row keeps them."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "countries": list(self.countries)}


def fee_words(settings: Settings, currency: str) -> str:
    """The fee in words: "0.25 % + $0.25", or between which amounts finance enters it."""
    parts = []
    if settings.fee_bp:
        parts.append(percent.display(settings.fee_bp))
    if settings.fee_fixed_minor:
        parts.append(money.display(settings.fee_fixed_minor, currency))
    if settings.fee_min_minor is not None and settings.fee_max_minor is not None:
        parts.append(
            _("%(low)s to %(high)s, entered for each payout")
            % {
                "low": money.display(settings.fee_min_minor, currency),
                "high": money.display(settings.fee_max_minor, currency),
            }
        )
    return " + ".join(parts) or _("none")


def check(settings: Settings, *, countries: frozenset[str]) -> None:
    """Whether a method may be like this; ``countries`` are the known codes. Raises Invalid with field and sentence."""
    if not 0 <= settings.fee_bp <= 10_00:
        raise Invalid(
            _("The fee is between %(low)s and %(high)s.") % {"low": percent.display(0), "high": percent.display(10_00)},
            field="fee_bp",
        )
    for name in ("fee_fixed_minor", "fee_min_minor", "fee_max_minor", "minimum_minor"):
        amount = getattr(settings, name)
        if amount is not None and not 0 <= amount <= CEILING_MINOR:
            raise Invalid(_("This amount is not possible for a payout."), field=name)
    if (settings.fee_min_minor is None) != (settings.fee_max_minor is None):
        raise Invalid(
            _("A fee that is entered for each payout needs a lowest and a highest amount."), field="fee_max_minor"
        )
    if (settings.fee_min_minor or 0) > (settings.fee_max_minor or 0):
        raise Invalid(_("The lowest fee is above the highest."), field="fee_max_minor")
    if settings.enabled and not settings.minimum_minor:
        raise Invalid(_("A method that is in use has a smallest payout."), field="minimum_minor")
    if settings.minimum_minor:
        fee = rounding.percent(settings.minimum_minor, settings.fee_bp) + settings.fee_fixed_minor
        if fee + (settings.fee_max_minor or 0) >= settings.minimum_minor:
            raise Invalid(_("The smallest payout would not even pay its own fee."), field="minimum_minor")
    _check_hours(settings)
    unknown = [code for code in settings.countries if code not in countries]
    if unknown:
        raise Invalid(_("“%(code)s” is not a country code.") % {"code": unknown[0][:10]}, field="countries")


def _check_hours(settings: Settings) -> None:
    for name in ("hours_min", "hours_max"):
        hours = getattr(settings, name)
        if hours is not None and not 0 <= hours <= LONGEST_HOURS:
            raise Invalid(_("A payout takes at most %(hours)s hours.") % {"hours": LONGEST_HOURS}, field=name)
    if settings.hours_min is not None and settings.hours_max is not None and settings.hours_min > settings.hours_max:
        raise Invalid(_("It cannot take at least longer than at most."), field="hours_max")
