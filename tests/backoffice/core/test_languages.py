"""Languages by name."""

import pytest
from django.utils.translation import override

from backoffice.core import languages


@pytest.mark.parametrize(
    ("code", "reader", "shown"),
    [
        ("ht", "en", "Haitian Creole"),
        ("fr", "fr", "français"),
        ("en", "ht", "anglais"),
        ("fr-CA", "en", "French (CA)"),
        ("xx", "en", "xx"),
        ("", "en", ""),
    ],
)
def test_a_code_is_read_in_the_readers_language(code: str, reader: str, shown: str) -> None:
    assert languages.name(code, reader) == shown


def test_several_stand_after_one_another_in_the_active_language() -> None:
    with override("fr"):
        assert languages.names(["ht", "en"]) == "créole haïtien, anglais"
    assert languages.names([]) == ""
