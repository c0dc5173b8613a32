"""Values of settings as people read and type them."""

import re
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.configuration.setting import Level, Setting, Unit
from backoffice.core import money
from backoffice.core.errors import Invalid

CURRENCY = "USD"
# Largest first; binary before decimal, so that 1024**2 reads as 1 MiB and 15,000,000 as 15 MB.
SIZES = (
    ("GiB", 1024**3),
    ("GB", 1000**3),
    ("MiB", 1024**2),
    ("MB", 1000**2),
    ("KiB", 1024),
    ("kB", 1000),
)
# What stands beside the field.
SUFFIXES: dict[Unit, str | Promise] = {
    Unit.SECONDS: gettext_lazy("seconds"),
    Unit.MINUTES: gettext_lazy("minutes"),
    Unit.HOURS: gettext_lazy("hours"),
    Unit.DAYS: gettext_lazy("days"),
    Unit.YEARS: gettext_lazy("years"),
    Unit.PERCENT: gettext_lazy("percent"),
    Unit.USD: CURRENCY,
    Unit.BYTES: gettext_lazy("such as 15 MB, 10 GiB or 5000000"),
    Unit.MEBIBYTES: gettext_lazy("MiB"),
    Unit.ROWS: gettext_lazy("rows"),
    Unit.TIMES: gettext_lazy("times"),
    Unit.PIECES: gettext_lazy("pieces"),
}


# A requirement that the help names for developers.
REFERENCES = re.compile(r"\s*\([A-Z]{1,2}-\d{3}(?:,\s*[A-Z]{1,2}-\d{3})*\)")


def about(setting: Setting) -> str:
    """The help as staff read it: without the numbers of requirements."""
    return REFERENCES.sub("", str(setting.help))


def grouped(number: int) -> str:
    """A whole number with thin gaps between its thousands, the same in every language."""
    return f"{number:,}".replace(",", "\u202f")


def in_words(setting: Setting, value: Any) -> str:
    """A value of this setting for people, in the language in use."""
    if setting.level == Level.SWITCH:
        return _("on") if value else _("off")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        labels = dict(setting.choices)
        return ", ".join(str(labels.get(item, item)) for item in value) or _("none")
    if isinstance(value, int):
        return _number(setting.unit, value)
    return str(dict(setting.choices).get(value, value))


def _number(unit: Unit, value: int) -> str:
    shown = {"count": grouped(value)}
    match unit:
        case Unit.SECONDS:
            return ngettext("%(count)s second", "%(count)s seconds", value) % shown
        case Unit.MINUTES:
            return ngettext("%(count)s minute", "%(count)s minutes", value) % shown
        case Unit.HOURS:
            return ngettext("%(count)s hour", "%(count)s hours", value) % shown
        case Unit.DAYS:
            return ngettext("%(count)s day", "%(count)s days", value) % shown
        case Unit.YEARS:
            return ngettext("%(count)s year", "%(count)s years", value) % shown
        case Unit.ROWS:
            return ngettext("%(count)s row", "%(count)s rows", value) % shown
        case Unit.TIMES:
            return ngettext("%(count)s time", "%(count)s times", value) % shown
        case Unit.PERCENT:
            return f"{value} %"
        case Unit.USD:
            return money.display(value, CURRENCY)
        case Unit.BYTES:
            return size(value)
        case Unit.MEBIBYTES:
            return f"{grouped(value)} MiB"
    return grouped(value)


def size(value: int) -> str:
    """Bytes in the largest unit that shows them exactly with at most one decimal."""
    for name, factor in SIZES:
        if value >= factor and value * 10 % factor == 0:
            tenths = value * 10 // factor
            return f"{grouped(tenths // 10)}{f'.{tenths % 10}' if tenths % 10 else ''} {name}"
    return ngettext("%(count)s byte", "%(count)s bytes", value) % {"count": grouped(value)}


def typed(setting: Setting, value: Any) -> str:
    """A number or text as it stands in the field, ready to be read by `read`."""
    if setting.unit == Unit.USD:
        return f"{Decimal(value).scaleb(-money.exponent(CURRENCY)):,}"
    if setting.unit == Unit.BYTES:
        return size(value) if value >= 1000 else str(value)
    return str(value)


def read(setting: Setting, text: str) -> Any:
    """What somebody typed, as a value of this setting; Invalid says what is wrong. Bounds are the rules' part."""
    text = text.strip()
    if setting.type is str:
        return text
    if setting.unit == Unit.USD:
        return money.parse(text, CURRENCY)
    if setting.unit == Unit.BYTES:
        return _read_size(text)
    digits = re.sub(r"[\s\u00a0\u202f,']", "", text)
    if len(digits) > 18 or not re.fullmatch(r"-?[0-9]+", digits):
        raise Invalid(_("A whole number is needed."), field="value")
    return int(digits)


def _read_size(text: str) -> int:
    found = re.fullmatch(r"([0-9][0-9\s\u00a0\u202f,']{0,20})(\.[0-9]{1,3})?\s*([A-Za-z]{0,3})", text)
    factors = {name.lower(): factor for name, factor in SIZES} | {"": 1, "b": 1}
    if found is None or found[3].lower() not in factors:
        raise Invalid(_("A size is needed, such as 15 MB, 10 GiB or a number of bytes."), field="value")
    number = Decimal(re.sub(r"[^0-9]", "", found[1]) + (found[2] or ""))
    bytes_ = number * factors[found[3].lower()]
    if bytes_ != bytes_.to_integral_value():
        raise Invalid(_("A size is needed, such as 15 MB, 10 GiB or a number of bytes."), field="value")
    return int(bytes_)
