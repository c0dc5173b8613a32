"""The really running platform: its own database and data directory, and every process that `make demo` starts."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local import demo
from tests.ports import ports

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "marigold-harbour-42-lamp"
# Long enough for ffmpeg on a busy machine, short enough to end a run that hangs.
PATIENCE = 90.0
HAND = "import django; django.setup(); from tests.browser import hand; hand.main()"


class Platform:
    """Web server, worker, timetable and loopback Stripe, and a hand inside that staff and clients do not have."""

    def __init__(self, directory: Path, *, application_url: str, owner_url: str) -> None:
        self.directory = directory
        self.port, stripe_port = ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.values = demo.environment(directory, self.port, stripe_port) | {
            "DATABASE_URL": application_url,
            "DATABASE_ADMIN_URL": owner_url,
            "LOG_LEVEL": "WARNING",
        }
        self.values.pop("BACKLOT_AS_OWNER", None)
        self.parts = demo.parts(directory, self.port, stripe_port, self.values)
        # Banks take days; the loopback's takes five seconds unless told otherwise.
        self.parts[0].command += ["--payout-delay", "1"]
        self._hand: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns once everything answers and the demo staff are there."""
        self._hand = subprocess.Popen(
            [sys.executable, "-c", HAND],
            cwd=ROOT,
            env=self.values,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in self.parts:
            part.start()
        self.call("prepare", password=PASSWORD)
        demo.wait_until_ready(self.parts, self.port, seconds=PATIENCE)

    def stop(self) -> None:
        """Ends every process and removes the files."""
        if self._hand is not None:
            assert self._hand.stdin is not None
            self._hand.stdin.close()
            try:
                self._hand.wait(10)
            except subprocess.TimeoutExpired:
                self._hand.kill()
        for part in self.parts:
            if part.process is not None:
                part.process.terminate()
        until = time.monotonic() + 3.0
        for part in self.parts:
            part.stop(patience=max(0.1, until - time.monotonic()))
        shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, name: str, *given: Any, **arguments: Any) -> Any:
        """Runs a function of `tests.browser.hand` inside the platform."""
        hand = self._hand
        assert hand is not None
        assert hand.stdin is not None
        assert hand.stdout is not None
        hand.stdin.write(json.dumps({"name": name, "given": given, "arguments": arguments}) + "\n")
        hand.stdin.flush()
        line = hand.stdout.readline()
        assert line, f"the hand ended while it did {name}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def command(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A management command on this platform."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.values,
            capture_output=True,
            text=True,
            check=False,
        )

    def logs(self) -> str:
        """The ends of the logs, for a failure's report."""
        found = []
        for part in self.parts:
            text = part.log.read_text(errors="replace") if part.log.exists() else ""
            found.append(f"--- {part.name} ({'runs' if part.alive() else 'ended'})\n{text[-3000:]}")
        return "\n".join(found)


def eventually[T](read: Callable[[], T | None], what: str, *, seconds: float = PATIENCE) -> T:
    """What ``read`` returns once it is true; fails naming what did not happen."""
    until = time.monotonic() + seconds
    while True:
        found = read()
        if found:
            return found
        assert time.monotonic() < until, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.25)


def chromium() -> str | None:
    """The browser of this machine; None when there is none."""
    named = os.environ.get("BACKLOT_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")
