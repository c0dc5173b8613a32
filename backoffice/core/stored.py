"""Sentences that the system itself writes into rows: kept in English, read in the language of whoever looks.

A sentence without values is kept as its English source (`gettext_noop`). One with values is a `Sentence`, which knows
itself again in what was kept. Whatever people and providers have written is shown as it is.
"""

import re
from typing import Any

from django.utils.translation import gettext as _

_PLACE = re.compile(r"%\((\w+)\)s")
_known: list["Sentence"] = []


class Sentence:
    """A sentence with named values, made once per module: ``OTHER = Sentence(gettext_noop("It is %(id)s"))``."""

    def __init__(self, text: str) -> None:
        parts = _PLACE.split(text)
        if len(parts) < 3 or not "".join(parts[::2]).strip():
            raise ValueError("A stored sentence has words and named values.")
        self.text = text
        # Every other part is the name of a value.
        self._kept = re.compile(
            "".join(f"(?P<{part}>.*)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
        )
        _known.append(self)

    def __call__(self, **values: Any) -> str:
        """What is kept: English, with the values as they are."""
        return self.text % values

    def read(self, kept: str) -> str | None:
        """What was kept by this sentence in the reader's language; None when it is something else."""
        found = self._kept.fullmatch(kept)
        return _(self.text) % {name: shown(value) for name, value in found.groupdict().items()} if found else None


def shown(kept: str) -> str:
    """Kept sentences, one per line, in the reader's language; anything else as it is."""
    return "\n".join(_line(line) for line in kept.split("\n"))


def _line(kept: str) -> str:
    if not kept:
        return kept
    for sentence in _known:
        read = sentence.read(kept)
        if read is not None:
            return read
    return _(kept)
