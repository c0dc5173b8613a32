"""Money: minor units and a currency in storage, `moneyed.Money` at the edges, never a float."""

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from moneyed import CURRENCIES, Money
from moneyed.l10n import format_money

from backoffice.core.errors import Invalid

__all__ = [
    "Money",
    "MoneyError",
    "api_amount",
    "check_currency",
    "display",
    "exponent",
    "from_minor",
    "parse",
    "to_minor",
]

# Haitian Creole has no number format of its own in CLDR; Haiti writes numbers the French way.
LOCALES = {"en": "en_US", "fr": "fr_FR", "ht": "fr_FR"}
# What a column of 64 bits holds.
MINOR_MAX = 2**63 - 1
# Longer than any amount that fits, grouping included.
LONGEST = 60


class MoneyError(Invalid):
    """An amount or a currency that cannot be read."""

    default_code = "invalid_amount"


def check_currency(currency: str) -> str:
    """The ISO 4217 code in capitals; MoneyError when there is no such currency."""
    code = currency.strip().upper()
    if code not in CURRENCIES or code == "XYZ":
        raise MoneyError(_("“%(code)s” is not a currency.") % {"code": currency[:10]}, code="unknown_currency")
    return code


def exponent(currency: str) -> int:
    """How many decimals the currency has: USD 2, JPY 0, KWD 3 (ISO 4217)."""
    sub_unit = CURRENCIES[check_currency(currency)].sub_unit
    return len(str(sub_unit)) - 1


def from_minor(amount: int, currency: str) -> Money:
    """Minor units to Money: ``from_minor(1250, "USD")`` is 12.50 USD."""
    return Money(Decimal(amount).scaleb(-exponent(currency)), currency)


def to_minor(money: Money) -> int:
    """Money to minor units; MoneyError when it has more decimals than its currency."""
    code = money.currency.code
    scaled = money.amount.scaleb(exponent(code))
    if scaled != scaled.to_integral_value():
        raise MoneyError(_("%(amount)s has more decimals than %(code)s.") % {"amount": money.amount, "code": code})
    return int(scaled)


def api_amount(amount: int, currency: str) -> str:
    """Minor units as the API's decimal string, always with the currency's decimals: ``"12.50"``."""
    return f"{Decimal(amount).scaleb(-exponent(currency)):.{exponent(currency)}f}"


def display(amount: int, currency: str, language: str | None = None) -> str:
    """Minor units in the form of the reader's language: ``$12.50``, ``12,50 $US``."""
    locale = LOCALES.get((language or get_language() or "en")[:2], "en_US")
    return format_money(from_minor(amount, currency), locale=locale)


def parse(text: str, currency: str) -> int:
    """What a person or file wrote, as minor units. Accepts ``1250.5`` and ``1 250,50``; MoneyError names what is wrong.

    A single comma followed by one or two digits at the end is a decimal comma; other commas and spaces group
    thousands.
    """
    digits = exponent(currency)
    if len(text) > LONGEST:
        raise MoneyError(_("“%(text)s” is not an amount.") % {"text": f"{text[:LONGEST]}…"})
    cleaned = re.sub(r"[\s\u00a0\u202f']", "", text)
    if re.fullmatch(r"-?\d+,\d{1,2}", cleaned):
        cleaned = cleaned.replace(",", ".")
    elif re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", cleaned):
        cleaned = cleaned.replace(",", "")
    if not re.fullmatch(r"-?\d+(\.\d+)?", cleaned):
        raise MoneyError(_("“%(text)s” is not an amount.") % {"text": text})
    try:
        scaled = Decimal(cleaned).scaleb(digits)
    except InvalidOperation as error:
        raise MoneyError(_("“%(text)s” is not an amount.") % {"text": text}) from error
    if scaled != scaled.to_integral_value():
        raise MoneyError(
            _("“%(text)s” has more than the %(digits)s decimals of %(code)s.")
            % {"text": text, "digits": digits, "code": currency}
        )
    if abs(scaled) > MINOR_MAX:
        raise MoneyError(_("“%(text)s” is too large.") % {"text": text})
    return int(scaled)
