"""Compiles translations with Babel, so that no gettext has to be on the machine."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).resolve().parents[2] / "backoffice" / "locale"


def compile_all() -> int:
    """Writes the .mo beside every .po that is newer; returns how many."""
    written = 0
    for source in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        # Babel has no Haitian Creole; the plural rule stands in the file's own header.
        catalogue = read_po(source.open("rb"), locale=None if source.parts[-3] == "ht" else source.parts[-3])
        with target.open("wb") as file:
            write_mo(file, catalogue)
        written += 1
    return written
