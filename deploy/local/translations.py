"""Translations: gathered with gettext, kept as .po, compiled with Babel so that no gettext has to be on the machine."""

import os
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "backoffice" / "locale"
# What Django and the other frameworks say in no Creole or French of their own; `gather` leaves it alone.
FRAMEWORKS = ROOT / "backoffice" / "locale_frameworks"
FOLDERS = (LOCALES, FRAMEWORKS)
LANGUAGES = ("fr", "ht")
# Babel has no Haitian Creole; the plural rule stands in the file's own header.
BABEL_LOCALE = {"ht": None}


def catalogue_of(source: Path):
    """The messages of one .po file."""
    language = source.parts[-3]
    with source.open("rb") as file:
        found = read_po(file, locale=BABEL_LOCALE.get(language, language))
    if found.locale is None:
        # Babel writes the header's plural rule only for languages that it knows.
        found.locale = "fr"
    return found


def compile_all() -> int:
    """Writes the .mo beside every .po that is newer; returns how many."""
    written = 0
    for source in sorted(found for folder in FOLDERS for found in folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, catalogue_of(source))
        written += 1
    return written


def gather(arguments: list[str]) -> int:
    """Brings the .po files up to date with the code; needs gettext's programs."""
    command = [sys.executable, str(ROOT / "manage.py"), "makemessages", "--no-wrap", "--no-location", "--no-obsolete"]
    for language in LANGUAGES:
        command += ["-l", language]
    for folder in (".venv", "tests", "docs", "staticfiles", ".data", "benchmarks"):
        command += ["-i", folder]
    command += ["-e", "py,html,txt", *arguments]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings.local"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
