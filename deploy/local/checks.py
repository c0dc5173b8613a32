"""`make check`: format, lint, types, layers, migrations, translations, docs. Runs all, then says what failed."""

import os
import subprocess
import sys
import time
from pathlib import Path

from deploy.local import translations

ROOT = Path(__file__).resolve().parents[2]
CODE = ["backoffice", "cms", "reports", "integrations", "tests", "deploy", "benchmarks", "manage.py"]


def without_settings(environment: dict[str, str]) -> dict[str, str]:
    """The environment without a choice of Django settings."""
    return {name: value for name, value in environment.items() if name != "DJANGO_SETTINGS_MODULE"}


def templates() -> list[str]:
    """Every template of ours; the mails are plain text."""
    return [str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("templates/**/*.html"))]


def main(arguments: list[str]) -> int:
    """Runs every check; 1 when one of them failed."""
    translations.compile_all()
    code = [name for name in CODE if (ROOT / name).exists()]
    checks: list[tuple[str, list[str]]] = [
        ("format", ["ruff", "format", "--check", "-q", *code]),
        ("lint", ["ruff", "check", "-q", *code]),
        ("templates", ["djade", "--target-version", "5.2", "--check", *templates()]),
        ("types", ["mypy", "backoffice", "cms", "reports", "integrations"]),
        ("layers", ["lint-imports", "--no-cache"]),
        ("migrations", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]),
        ("system", [sys.executable, "manage.py", "check", "--fail-level", "WARNING"]),
        (
            "translations, docs, house rules",
            [sys.executable, "-m", "pytest", "-q", "-n0", "tests/architecture"],
        ),
    ]
    failed = []
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings.local"}
    for name, command in checks:
        started = time.monotonic()
        # The tests choose their own settings.
        own = without_settings(environment) if "pytest" in command else environment
        done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
        passed = done.returncode == 0
        print(f"{'ok  ' if passed else 'FAIL'} {name} ({time.monotonic() - started:.0f} s)", flush=True)
        if not passed:
            failed.append(name)
            print((done.stdout + done.stderr).rstrip())
    return 1 if failed else 0


def write_format(arguments: list[str]) -> int:
    """Formats code and templates in place."""
    code = [name for name in CODE if (ROOT / name).exists()]
    subprocess.run(["ruff", "check", "--fix", "-q", *code], cwd=ROOT, check=False)
    subprocess.run(["ruff", "format", "-q", *code], cwd=ROOT, check=True)
    subprocess.run(["djade", "--target-version", "5.2", *templates()], cwd=ROOT, check=False)
    return 0
