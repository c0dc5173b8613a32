from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.core import money


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("HTG", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2)])
def test_every_currency_has_its_own_number_of_decimals(currency: str, digits: int) -> None:
    assert money.exponent(currency) == digits


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD", "HTG", "CAD"]))
def test_minor_units_survive_the_way_through_money_and_the_api(minor: int, currency: str) -> None:
    assert money.to_minor(money.from_minor(minor, currency)) == minor
    assert money.parse(money.api_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.5", "USD", 1250),
        ("1 250,50", "HTG", 125050),
        ("1,250.50", "USD", 125050),
        ("1,250", "USD", 125000),
        ("7", "JPY", 7),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, minor: int) -> None:
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "abc", "1.234", "12.5.0", "=1+1", "1e5", "NaN", "99999999999999999999", "9" * 1_000_001]
)
def test_what_is_no_amount_is_refused_with_the_text_that_was_given(text: str) -> None:
    with pytest.raises(money.MoneyError):
        money.parse(text, "USD")


@pytest.mark.parametrize("currency", ["", "US", "XYZ", "usdollar", "$"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(money.MoneyError) as refusal:
        money.check_currency(currency)
    assert refusal.value.code == "unknown_currency"


def test_more_decimals_than_the_currency_has_are_refused() -> None:
    with pytest.raises(money.MoneyError):
        money.to_minor(money.Money(Decimal("1.5"), "JPY"))


def test_money_is_shown_in_the_form_of_the_language() -> None:
    assert money.display(125050, "USD", "en") == "$1,250.50"
    assert money.display(125050, "USD", "fr").replace("\u202f", " ").replace("\u00a0", " ") == "1 250,50 $US"
