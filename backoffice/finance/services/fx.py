"""Exchange rates: recording them, and converting minor units with the rate of a moment."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.audit import entries
from backoffice.core import money
from backoffice.core.errors import Invalid
from backoffice.finance.models import CurrencyRate


class NoRate(Invalid):
    """No exchange rate is known for this pair at this moment."""

    default_code = "no_exchange_rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of ``quote`` for one unit of ``base``, with where it comes from."""

    base: str
    quote: str
    rate: Decimal
    source: str
    as_of: datetime

    def convert(self, amount: int) -> int:
        """Minor units of ``base`` in minor units of ``quote``, halves away from zero."""
        shift = money.exponent(self.quote) - money.exponent(self.base)
        exact = Decimal(amount) * self.rate * Decimal(10) ** shift
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def as_data(self) -> dict[str, str]:
        """What a ledger entry keeps of the rate."""
        return {
            "base": self.base,
            "quote": self.quote,
            "rate": f"{self.rate.normalize():f}",
            "source": self.source,
            "as_of": self.as_of.isoformat(),
        }


def record_rate(*, base: str, quote: str, rate: Decimal, source: str, as_of: datetime, by: User | None) -> CurrencyRate:
    """Keeps a rate (E-048). The same pair and moment again is the row that is there."""
    base, quote = money.check_currency(base), money.check_currency(quote)
    if rate <= 0 or base == quote:
        raise Invalid(_("A rate is a positive number between two currencies."), field="rate")
    with transaction.atomic():
        row, fresh = CurrencyRate.objects.get_or_create(
            base=base, quote=quote, as_of=as_of, defaults={"rate": rate, "source": source}
        )
        if fresh:
            entries.record(action="currency_rate.record", by=by, subject=row, after={"rate": rate, "source": source})
    return row


def rate(*, base: str, quote: str, at: datetime) -> Rate:
    """The newest rate not later than ``at``; the inverse of the other direction when only that is known.

    Raises NoRate.
    """
    rows = CurrencyRate.objects.filter(as_of__lte=at).order_by("-as_of")
    direct = rows.filter(base=base, quote=quote).first()
    if direct is not None:
        return Rate(base, quote, direct.rate, direct.source, direct.as_of)
    inverse = rows.filter(base=quote, quote=base).first()
    if inverse is not None:
        return Rate(base, quote, (Decimal(1) / inverse.rate).quantize(Decimal("1e-12")), inverse.source, inverse.as_of)
    raise NoRate(_("There is no exchange rate from %(base)s to %(quote)s.") % {"base": base, "quote": quote})
