"""English, French and Haitian Creole are complete, and every placeholder survives."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import translations

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"%\(\w+\)[sdr]|%[sd]|\{[\w:]*\}|<[^>]+>")
FOLDERS = {folder.name: folder for folder in translations.FOLDERS}


def _texts(language: str, folder: Path = translations.LOCALES):
    source = folder / language / "LC_MESSAGES" / "django.po"
    return [message for message in translations.catalogue_of(source) if message.id]


def _forms(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_text_is_translated(language: str, folder: str) -> None:
    texts = _texts(language, FOLDERS[folder])
    assert len(texts) > (1500 if FOLDERS[folder] == translations.LOCALES else 50)
    assert [message.id for message in texts if message.fuzzy or not all(_forms(message.string))] == []


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_placeholder_is_in_the_translation_too(language: str, folder: str) -> None:
    wrong = []
    for message in _texts(language, FOLDERS[folder]):
        ids, strings = _forms(message.id), _forms(message.string)
        for form in strings:
            wanted = {tuple(sorted(PLACEHOLDER.findall(text))) for text in ids}
            if tuple(sorted(PLACEHOLDER.findall(form))) not in wanted:
                wrong.append((ids[0], form))
            # Templates join what a message begins and ends with to what stands around it.
            if [form[: len(form) - len(form.lstrip())], form[len(form.rstrip()) :]] != [
                ids[0][: len(ids[0]) - len(ids[0].lstrip())],
                ids[0][len(ids[0].rstrip()) :],
            ]:
                wrong.append((ids[0], form))
    assert wrong == []


def test_no_text_of_the_code_is_missing_from_the_files(tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        if os.environ.get("BACKLOT_REQUIRE_BROWSER"):
            pytest.fail("gettext is not installed")
        pytest.skip("gettext is not installed")
    for folder in ("backoffice", "cms", "reports", "integrations", "templates", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    shutil.copy(ROOT / "manage.py", tmp_path)
    before = {language: {_forms(m.id)[0] for m in _texts(language)} for language in translations.LANGUAGES}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "messages"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for language in translations.LANGUAGES:
        source = tmp_path / "backoffice" / "locale" / language / "LC_MESSAGES" / "django.po"
        after = {_forms(m.id)[0] for m in translations.catalogue_of(source) if m.id}
        assert sorted(after - before[language]) == [], "run `make messages` and translate"
