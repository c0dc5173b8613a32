"""Finds a Python, makes the environment, hands over. Uses nothing but the standard library of any Python 3.8+."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("VENV", ROOT / ".venv"))
LOCK = ROOT / "requirements" / "dev.txt"
OLDEST = (3, 12)
NAMES = ["python3.13", "python3.14", "python3.12", "python3", "python"]


def say(text):
    """One line for the person at the terminal."""
    print(text, flush=True)


def version_of(command):
    """(major, minor) of an interpreter, or None when it does not run."""
    try:
        done = subprocess.run(
            [command, "-c", "import sys, ensurepip; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return tuple(int(part) for part in done.stdout.split())


def candidates():
    """Interpreters worth asking, the wanted version first."""
    if os.environ.get("BACKLOT_PYTHON"):
        yield os.environ["BACKLOT_PYTHON"]
    wanted = (ROOT / ".python-version").read_text().strip()
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    roots.append(Path.home() / ".local" / "share" / "uv" / "python")
    yield "python" + wanted
    for root in roots:
        if root.is_dir():
            found = sorted(root.iterdir(), reverse=True)
            ordered = [p for p in found if wanted in p.name] + [p for p in found if wanted not in p.name]
            for folder in ordered:
                yield str(folder / "bin" / "python3")
    yield sys.executable
    yield from NAMES


def find_python():
    """The first interpreter that is new enough."""
    for command in candidates():
        version = version_of(command)
        if version and version >= OLDEST:
            return command
    sys.exit(
        "Backlot needs Python {}.{} or newer with its venv module, and found none.\n"
        "Install one (for example with your package manager, pyenv or uv), or name it: "
        "BACKLOT_PYTHON=/path/to/python3.13 make demo".format(*OLDEST)
    )


def ensure_environment():
    """Makes .venv and installs the pinned, hashed requirements unless they are there already."""
    python = VENV / "bin" / "python"
    stamp = VENV / ".requirements"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if not python.exists():
        command = find_python()
        say(f"Making the environment in {VENV} with {command}")
        subprocess.run([command, "-m", "venv", str(VENV)], check=True)
    say("Installing the pinned requirements (a minute or two the first time)")
    subprocess.run(
        [
            str(python),
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            str(LOCK),
        ],
        check=True,
    )
    stamp.write_text(wanted)
    return python


def main():
    """Makes the environment and becomes the real command."""
    if sys.platform == "win32":
        sys.exit("Backlot runs on Linux and macOS.")
    if len(sys.argv) < 2:
        sys.exit("usage: bootstrap.py demo|test|check|bench|manage|reset|docs|messages|format|lock")
    python = ensure_environment()
    os.chdir(ROOT)
    # The demo and the tests start a hundred processes; without their bytecode each compiles the whole product anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PATH"] = str(VENV / "bin") + os.pathsep + os.environ.get("PATH", "")
    os.execv(str(python), [str(python), "-m", "deploy.local", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
