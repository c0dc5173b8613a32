"""``python -m deploy.local COMMAND``: what the Makefile runs inside the environment."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.local import checks, demo, documents, translations

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, **environment: str) -> int:
    """Runs a command in the checkout; returns its exit code."""
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


def test(arguments: list[str]) -> int:
    """The tests, on as many cores as there are, at most four."""
    translations.compile_all()
    workers = [] if any(a.startswith("-n") for a in arguments) else ["-n", str(min(os.cpu_count() or 1, 4))]
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # the tests choose their own
    return run(sys.executable, "-m", "pytest", *workers, "--dist", "worksteal", *arguments)


def bench(arguments: list[str]) -> int:
    """The benchmarks, one at a time."""
    translations.compile_all()
    return run(sys.executable, "-m", "benchmarks", *arguments)


def manage(arguments: list[str]) -> int:
    """Django's command line on the demo's data."""
    translations.compile_all()
    return run(sys.executable, "manage.py", *arguments, DJANGO_SETTINGS_MODULE="backoffice.settings.demo")


def lock(arguments: list[str]) -> int:
    """Compiles the requirements; no index address gets into them."""
    compile_ = ["uv", "pip", "compile", "-q", "pyproject.toml", "--universal", "--python-version", "3.12"]
    compile_ += [
        "--generate-hashes",
        "--no-header",
        "--no-emit-index-url",
        "--no-emit-find-links",
        *arguments,
    ]
    return run(*compile_, "-o", "requirements/production.txt") or run(
        *compile_, "--all-extras", "-c", "requirements/production.txt", "-o", "requirements/dev.txt"
    )


COMMANDS = {
    "demo": demo.main,
    "reset": demo.reset,
    "test": test,
    "bench": bench,
    "check": checks.main,
    "docs": documents.main,
    "messages": translations.gather,
    "format": checks.write_format,
    "manage": manage,
    "lock": lock,
}


def main() -> int:
    """Runs the command named first."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print("commands: " + ", ".join(COMMANDS))
        return 2
    return COMMANDS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
