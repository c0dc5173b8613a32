"""A process of its own that does what it is told: ``python -m benchmarks.seat``, one JSON line per call."""

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

from benchmarks.database import ROOT


class Seat:
    """A running process; `call` runs a function of `benchmarks.cases` in it."""

    def __init__(self, settings: str = "benchmarks.settings") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.seat"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, function: str, **arguments: Any) -> None:
        """Starts a call: ``function`` is ``module.name``; the arguments are plain values."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """What the call that was started returns."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a measured process ended; what it said is above")
        return json.loads(line)

    def call(self, function: str, **arguments: Any) -> Any:
        """Starts a call and waits for it."""
        self.tell(function, **arguments)
        return self.hear()

    def close(self) -> None:
        """Lets the process end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def serve() -> None:
    """Answers calls until there are no more."""
    import django

    django.setup()
    for line in sys.stdin:
        function, arguments = json.loads(line)
        module, name = function.split(".")
        answer = getattr(import_module(f"benchmarks.cases.{module}"), name)(**arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
