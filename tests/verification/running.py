"""Real servers and workers as processes that a test can kill."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import redis
from celery import Celery

from backoffice.celery import app as product
from integrations.antivirus.client import ClamAV
from integrations.antivirus.fake import EICAR
from integrations.antivirus.types import ScannerUnavailable
from tests.ports import ports

ROOT = Path(__file__).resolve().parents[2]
# Long enough for a worker's start on a busy machine, short enough to end a run that hangs.
PATIENCE = 60.0


def eventually(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
    """Returns once the condition holds; fails naming what did not happen."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.05)


def clamd_binary() -> str | None:
    """The machine's ClamAV daemon; None when there is none."""
    return shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")


def redis_binary() -> str | None:
    """The machine's Redis server; None when there is none."""
    return shutil.which("redis-server")


class Process:
    """A process in a group of its own."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True
            )

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9 for it and its children."""
        if self.alive():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)


class Redis:
    """A Redis that keeps nothing: what it held is gone after `restart`."""

    def __init__(self, directory: Path) -> None:
        (self.port,) = ports(1)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = directory
        self.start()

    def start(self) -> None:
        """Returns once it answers."""
        binary = redis_binary()
        assert binary is not None
        command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self._directory)]
        self._process = Process(command, dict(os.environ), self._directory / "redis.log")
        eventually(self._answers, "the start of Redis")

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> Any:
        """A connection of its own."""
        return redis.Redis(port=self.port)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()


class Clamd:
    """A real ClamAV daemon on a socket of its own, whose only signature is the EICAR test file's."""

    def __init__(self, directory: Path, *, stream_megabytes: int = 25) -> None:
        # A socket's path may have about 100 characters, a test's directory has more.
        self.directory = Path(mkdtemp(prefix="clamd-"))
        self.socket = str(self.directory / "socket")
        self._log = directory / "clamd.log"
        database = self.directory / "signatures"
        database.mkdir()
        (database / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
        settings = {
            "LocalSocket": self.socket,
            "DatabaseDirectory": database,
            "TemporaryDirectory": self.directory,
            "Foreground": "yes",
            "StreamMaxLength": f"{stream_megabytes}M",
            "MaxFileSize": f"{stream_megabytes}M",
            "AlertExceedsMax": "yes",
        }
        self._configuration = self.directory / "clamd.conf"
        self._configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.start()

    def start(self) -> None:
        """Returns once it answers."""
        binary = clamd_binary()
        assert binary is not None
        Path(self.socket).unlink(missing_ok=True)
        command = [binary, "--config-file", str(self._configuration)]
        self._process = Process(command, dict(os.environ), self._log)
        eventually(self._answers, f"the start of clamd ({self._log})")

    def _answers(self) -> bool:
        try:
            return ClamAV(self.socket, timeout=5).ping()
        except ScannerUnavailable:
            return False

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.alive()

    def remove(self) -> None:
        """Ends it and removes its files."""
        self.kill()
        shutil.rmtree(self.directory)


def worker(broker: str, directory: Path, name: str) -> Process:
    """A real Celery worker with two child processes on the test's database."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.verification.settings",
        "CELERY_BROKER_URL": broker,
        "DATA_DIR": str(directory),
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.verification.worker", "worker", "-Q", "default"]
    command += ["-c", "2", "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Process([*command, "-l", "WARNING"], environment, directory / f"{name}.log")


@contextmanager
def sending_to(broker: str, **options: Any) -> Iterator[None]:
    """What this process sends goes to that broker, as the product is configured otherwise."""
    app = Celery("verification", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(broker_url=broker, broker_transport_options=options, task_queues=product.conf.task_queues)
    app.set_current()
    try:
        yield
    finally:
        app.close()
        product.set_current()
