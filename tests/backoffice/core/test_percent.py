"""Percentages between a form and basis points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.core import countries, percent


@pytest.mark.parametrize(
    ("text", "points"),
    [("22.5", 2250), ("22,5", 2250), (" 22.5 % ", 2250), ("0", 0), ("100", 10_000), ("2.90", 290), ("0,25 %", 25)],
)
def test_what_people_type_is_read(text: str, points: int) -> None:
    assert percent.parse(text) == points


@pytest.mark.parametrize("text", ["", "%", "-1", "1e1", "22.555", "100.01", "1,000", "٢٢", "ten", "9" * 60, "1.2.3"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(percent.PercentError):
        percent.parse(text)


@pytest.mark.parametrize(
    ("points", "language", "shown"),
    [(2250, "en", "22.5 %"), (2250, "fr", "22,5 %"), (2250, "ht", "22,5 %"), (2500, "en", "25 %"), (1, "en", "0.01 %")],
)
def test_a_percentage_is_shown_in_the_form_of_the_language(points: int, language: str, shown: str) -> None:
    assert percent.display(points, language) == shown


@given(st.integers(0, 10_000), st.sampled_from(["en", "fr", "ht"]))
def test_what_a_form_shows_is_read_as_what_it_was(points: int, language: str) -> None:
    assert percent.parse(percent.written(points, language)) == points


def test_countries_have_names_in_the_languages_of_the_desk() -> None:
    assert (countries.name("HT", "en"), countries.name("HT", "fr"), countries.name("HT", "ht")) == (
        "Haiti",
        "Haïti",
        "Haïti",
    )
    assert countries.name("XQ", "en") == "XQ"
    assert {"HT", "FR", "US"} <= countries.codes()
    assert not {"EU", "ZZ", "419"} & countries.codes()
    assert [name for _code, name in countries.choices("fr")] == sorted(name for _code, name in countries.choices("fr"))
