"""Everything that can be set, run or granted is documented, or the build fails."""

import re
from pathlib import Path

import pytest
from django.utils import translation

from deploy.local import documents

ROOT = Path(__file__).resolve().parents[2]
OPERATORS = "\n".join(path.read_text() for path in sorted((ROOT / "docs" / "operators").glob("*.md")))


@pytest.mark.parametrize("name", documents.PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    with translation.override("en"):
        assert (ROOT / name).read_text() == documents.PAGES[name](), "run `make docs`"


def _environment_names() -> list[str]:
    text = "\n".join(path.read_text() for path in sorted((ROOT / "backoffice" / "settings").glob("*.py")))
    return sorted(set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z0-9_]+)"', text)))


@pytest.mark.parametrize("name", _environment_names())
def test_every_environment_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in OPERATORS


def _commands() -> list[str]:
    found = [*ROOT.glob("backoffice/*/management/commands/*.py"), *ROOT.glob("cms/management/commands/*.py")]
    found += ROOT.glob("deploy/demo/management/commands/*.py")
    return sorted(path.stem for path in found if path.stem != "__init__")


@pytest.mark.parametrize("name", _commands())
def test_every_command_is_documented(name: str) -> None:
    assert f"`{name}`" in OPERATORS


def test_every_make_target_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^(\w+):  ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in targets if f"make {target}" not in readme] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []
