"""What Django says and writes in Haitian Creole, of which it knows nothing itself."""

import datetime as dt
from pathlib import Path

import pytest
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.utils import dates, formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import override
from rest_framework import serializers

from deploy.local import translations

MONTHS = ["janvye", "fevriye", "mas", "avril", "me", "jen", "jiyè", "out", "septanm", "oktòb", "novanm", "desanm"]
DAYS = ["lendi", "madi", "mèkredi", "jedi", "vandredi", "samdi", "dimanch"]
MOMENT = dt.datetime(2026, 8, 14, 15, 5, tzinfo=dt.UTC)


def test_months_and_days_are_haitian() -> None:
    with override("ht"):
        assert [str(dates.MONTHS[number]) for number in range(1, 13)] == MONTHS
        assert [str(dates.MONTHS_ALT[number]) for number in range(1, 13)] == MONTHS
        assert [str(dates.WEEKDAYS[number]) for number in range(7)] == DAYS
        assert formats.date_format(MOMENT, "l j F Y") == "vandredi 14 out 2026"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("DATE_FORMAT", "14 out 2026"),
        ("DATETIME_FORMAT", "14 out 2026 15:05"),
        ("SHORT_DATE_FORMAT", "14/08/2026"),
        ("SHORT_DATETIME_FORMAT", "14/08/2026 15:05"),
        ("TIME_FORMAT", "15:05"),
        ("YEAR_MONTH_FORMAT", "out 2026"),
        ("MONTH_DAY_FORMAT", "14 out"),
    ],
)
def test_dates_stand_in_the_order_of_haiti(name: str, shown: str) -> None:
    with override("ht"):
        assert formats.date_format(MOMENT, name) == shown


def test_numbers_have_a_decimal_comma_as_money_has() -> None:
    with override("ht"):
        assert formats.number_format(1234567.5, decimal_pos=2, force_grouping=True) == "1\xa0234\xa0567,50"


def test_the_time_since_is_told_in_creole() -> None:
    now = timezone.now()
    with override("ht"):
        assert timesince(now - dt.timedelta(days=9), now) == "1\xa0semèn, 2\xa0jou"
        assert naturaltime(now - dt.timedelta(minutes=5, seconds=1)) == "sa gen 5\xa0minit"
        assert naturaltime(now - dt.timedelta(hours=1, seconds=1)) == "sa gen inèdtan"
        assert naturaltime(now + dt.timedelta(hours=3, minutes=1)) == "nan 3\xa0èdtan"


class Letter(forms.Form):
    address = forms.EmailField()
    day = forms.DateField()
    pages = forms.IntegerField(max_value=9)
    code = forms.CharField(min_length=4)


def test_a_form_is_refused_in_creole() -> None:
    with override("ht"):
        letter = Letter({"address": "nobody", "day": "14/13/2026", "pages": "12", "code": "ab"})
        assert letter.errors == {
            "address": ["Antre yon adrès imel ki bon."],
            "day": ["Antre yon dat ki bon."],
            "pages": ["Fòk valè sa a pa depase 9."],
            "code": ["Fòk valè sa a gen omwen 4 karaktè (li gen 2)."],
        }


def test_a_date_may_be_typed_as_it_is_shown_or_as_browsers_send_it() -> None:
    with override("ht"):
        assert {Letter().fields["day"].clean(typed) for typed in ("14/08/2026", "2026-08-14")} == {MOMENT.date()}


def test_a_weak_password_is_refused_in_creole() -> None:
    with override("ht"), pytest.raises(ValidationError) as refused:
        validate_password("password")
    with override("ht"):
        assert refused.value.messages == [
            "Modpas sa a twò kout. Fòk li gen omwen 12 karaktè.",
            "Twòp moun sèvi ak modpas sa a.",
        ]


def test_a_page_that_is_none_is_refused_in_creole() -> None:
    with override("ht"):
        assert str(Paginator([1], 1).error_messages["no_results"]) == "Paj sa a pa gen okenn rezilta"


def test_the_api_refuses_in_creole() -> None:
    class Order(serializers.Serializer[object]):
        copies = serializers.IntegerField(min_value=1)

    with override("ht"):
        order = Order(data={"copies": 0})
        assert not order.is_valid()
        assert order.errors["copies"] == ["Fòk valè sa a omwen 1."]


def test_our_own_texts_come_before_those_of_the_frameworks(settings: object) -> None:
    assert [Path(place) for place in settings.LOCALE_PATHS] == list(translations.FOLDERS)  # type: ignore[attr-defined]
