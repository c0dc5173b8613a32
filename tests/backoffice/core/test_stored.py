"""Sentences that rows keep: English in the row, the reader's language on the screen."""

import pytest
from django.utils import translation

from backoffice.core import stored
from backoffice.creators.services import creators
from backoffice.finance.services import sentences


def test_a_sentence_is_kept_in_english_whoever_writes_and_read_by_each_in_their_language() -> None:
    with translation.override("ht"):
        kept = sentences.OTHER_AMOUNT(id="re_1")
    assert kept == "The provider has it with another amount: re_1"
    with translation.override("fr"):
        assert stored.shown(kept) == "Le prestataire l'a avec un autre montant : re_1"
    with translation.override("en"):
        assert stored.shown(kept) == kept


def test_a_sentence_within_a_sentence_is_read_too() -> None:
    kept = sentences.CAME_BACK(reason=sentences.REFUND_REASONS["declined"])
    with translation.override("fr"):
        read = stored.shown(kept)
        assert read.startswith("Le prestataire n’a pas pu rendre l’argent")
        assert "declined" not in read
        unknown = stored.shown(sentences.CAME_BACK(reason=sentences.NO_REASON(code="odd")))
    assert "odd" in unknown
    assert "no reason" not in unknown


def test_every_line_is_a_sentence_of_its_own() -> None:
    lines = [sentences.IN_TRANSIT(creator="CR-1", ledger=5, item=6), sentences.BALANCE_SHORT(balance=1, need=2)]
    with translation.override("fr"):
        read = stored.shown("\n".join(lines)).split("\n")
        assert read == [stored.shown(line) for line in lines]
    assert not set(read) & set(lines)


@pytest.mark.parametrize("text", ["", "Insufficient funds in your account", "50 % (100%) of it", "  "])
def test_what_others_wrote_is_shown_as_it_is(text: str) -> None:
    with translation.override("ht"):
        assert stored.shown(text) == text
        assert stored.shown(creators.SUSPENDED(reason=text)) == f"Sispann: {text}"


@pytest.mark.parametrize("text", ["Nothing varies", "%(all)s"])
def test_a_stored_sentence_has_words_and_values(text: str) -> None:
    with pytest.raises(ValueError, match="words and named values"):
        stored.Sentence(text)
