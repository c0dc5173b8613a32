"""What the house asks of every file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
]
TEXT = [
    path for path in TRACKED if path.suffix in {".py", ".md", ".html", ".txt", ".toml", ".yaml", ".js", ".css", ".po"}
]
REGISTRIES = re.compile(r"pypi\.org|pythonhosted|npmjs|deb\.debian|crates\.io|conda\.org", re.IGNORECASE)


def test_rooms_have_names() -> None:
    nameless = {"utils.py", "helpers.py", "common.py", "misc.py", "signals.py"}
    assert [str(path) for path in TRACKED if path.name in nameless] == []


def test_no_package_registry_is_named() -> None:
    me = Path(__file__)
    assert [str(path) for path in TEXT if path != me and path.exists() and REGISTRIES.search(path.read_text())] == []


def test_the_layers_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["production.txt", "dev.txt"])
def test_requirements_are_pinned_and_hashed(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    pinned = re.findall(r"^[a-z0-9][\w.\[\],-]*==\S+", text, re.MULTILINE)
    assert len(pinned) > 50
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index" not in text


def test_every_dependency_says_why_it_is_there() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    groups = tomllib.loads("\n".join(lines))["project"]
    wanted = [*groups["dependencies"], *(item for group in groups["optional-dependencies"].values() for item in group)]
    for requirement in wanted:
        line = next(line for line in lines if f'"{requirement}"' in line)
        assert "#" in line, f"{requirement} does not say why it is there"


def test_state_fields_change_through_their_machine_only() -> None:
    """``.update(status=…)`` and ``obj.status = …; save()`` belong to `core.states.advance`."""
    from django.apps import apps

    assert apps.is_installed("backoffice.core")
    from backoffice.core.states import Machine

    machines = [
        model for model in apps.get_models() if any(isinstance(value, Machine) for value in vars(model).values())
    ]
    assert len(machines) >= 8, "machines are declared on their models"
