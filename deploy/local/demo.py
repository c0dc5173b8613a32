"""`make demo`: database, migrations, demo data, then every process of the platform under one Ctrl-C."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from backoffice.settings import embedded, keys
from deploy.local import translations

ROOT = Path(__file__).resolve().parents[2]
LOADED = "demo-loaded"
# A process that ends by itself is started again, waiting longer each time.
RESTART_SECONDS = (1, 2, 5, 10, 30)


def data_dir() -> Path:
    """Where everything of this platform lives."""
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").resolve()


def port_is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Part:
    """One process of the platform."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    start_at: float = 0.0
    started: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Starts it in a group of its own, so that Ctrl-C reaches it through us only."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self, patience: float = 12.0) -> None:
        """Asks it to end, and ends it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def environment(directory: Path, port: int, stripe_port: int) -> dict[str, str]:
    """What every part gets."""
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "backoffice.settings.demo",
        "DATA_DIR": str(directory),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_BASE_URL": f"http://127.0.0.1:{stripe_port}",
        "SESSION_COOKIE_NAME": f"backlot_session_{port}",
        "CSRF_COOKIE_NAME": f"backlot_csrf_{port}",
        "PYTHONUNBUFFERED": "1",
    }
    if "DATABASE_URL" not in values:
        found = embedded.start(directory)
        values["DATABASE_URL"], values["DATABASE_ADMIN_URL"] = found.application, found.owner
    (directory / "broker").mkdir(parents=True, exist_ok=True)
    (directory / "broker-control").mkdir(parents=True, exist_ok=True)
    return values


def manage(values: dict[str, str], *command: str) -> None:
    """One management command; its failure ends the start."""
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=values, check=True)


def parts(directory: Path, port: int, stripe_port: int, values: dict[str, str]) -> list[Part]:
    """Web server, worker, timetable and the loopback Stripe."""
    logs = directory / "logs"
    python = sys.executable
    secret = keys.kept(directory / "stripe-webhook-secret")
    stripe = [python, "-m", "integrations.stripe.fake", "--host", "127.0.0.1", "--port", str(stripe_port)]
    stripe += ["--state", str(directory / "stripe.db"), "--api-key", "sk_test_local"]
    stripe += ["--webhook-url", f"http://127.0.0.1:{port}/api/v1/webhooks/stripe", "--webhook-secret", secret]
    web = [
        str(Path(python).with_name("granian")),
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    web += ["--workers", "1", "--blocking-threads", "8", "--no-ws", "backoffice.wsgi:application"]
    celery = [python, "-m", "celery", "-A", "backoffice"]
    worker = [
        *celery,
        "worker",
        "-Q",
        "default,money,media,mail,reports",
        "-c",
        "2",
        "-n",
        f"backlot-{port}@%h",
    ]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    beat = [*celery, "beat", "--pidfile=", "-l", "WARNING"]
    return [
        Part("stripe", stripe, values, logs / "stripe.log"),
        Part("web", web, values, logs / "web.log"),
        Part("worker", worker, values, logs / "worker.log"),
        Part("beat", beat, values, logs / "beat.log"),
    ]


def answers(address: str) -> bool:
    """Whether the address answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until_ready(running: list[Part], port: int, seconds: float = 90.0) -> None:
    """Returns once the platform answers; names the part that ended instead."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for part in running:
            if not part.alive():
                raise SystemExit(f"{part.name} ended at once; its log: {part.log}")
        if answers(f"http://127.0.0.1:{port}/readyz"):
            return
        time.sleep(0.2)
    raise SystemExit(f"the platform does not answer on port {port}; logs are in {running[0].log.parent}")


def watch(running: list[Part], until_idle: bool = False) -> None:
    """Starts again what ends, until somebody stops us."""
    while True:
        time.sleep(0.5)
        now = time.monotonic()
        for part in running:
            if part.alive():
                continue
            if not part.start_at:
                delay = RESTART_SECONDS[min(part.failures, len(RESTART_SECONDS) - 1)]
                part.failures += 1
                part.start_at = now + delay
                print(f"{part.name} ended; starting it again in {delay} s (log: {part.log})", flush=True)
            elif now >= part.start_at:
                part.start_at = 0.0
                part.start()


def prepare(directory: Path, values: dict[str, str]) -> None:
    """Migrations, reference data, and demo data when there is none."""
    manage(values, "migrate", "--verbosity", "0")
    if not (directory / LOADED).exists():
        manage(values, "createcachetable", "--verbosity", "0")
    manage(values, "prepare_demo", "--password-file", str(directory / "demo-password"))


def main(arguments: list[str]) -> int:
    """Sets up what is missing and serves until Ctrl-C."""
    started = time.monotonic()
    directory = data_dir()
    port = int(os.environ.get("PORT", "8000"))
    if not port_is_free(port):
        print(f"Port {port} is taken. Choose another: PORT={port + 10} make demo")
        return 1
    stripe_port = port + 1 if port_is_free(port + 1) else free_port()
    directory.mkdir(parents=True, exist_ok=True)
    translations.compile_all()
    embedded_server = "DATABASE_URL" not in os.environ
    running: list[Part] = []
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        values = environment(directory, port, stripe_port)
        password = directory / "demo-password"
        if not password.exists():
            password.write_text(secrets.token_urlsafe(12))
            password.chmod(0o600)
        running = parts(directory, port, stripe_port, values)
        running[0].start()  # the demo data is made through the real clients
        prepare(directory, values)
        for part in running[1:]:
            part.start()
        wait_until_ready(running, port)
        announce(port, password.read_text().strip(), time.monotonic() - started, directory)
        watch(running)
    except KeyboardInterrupt:
        print("\nStopping", flush=True)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd[1:])} failed; nothing was started")
        return 1
    finally:
        for part in reversed(running):
            part.stop()
        if embedded_server:
            embedded.stop(directory)
    return 0


def announce(port: int, password: str, seconds: float, directory: Path) -> None:
    """The address and who can sign in."""
    from backoffice.accounts.roles import ROLES
    from deploy.demo.content import COLLEAGUES

    base = f"http://127.0.0.1:{port}"
    print(f"\nBacklot is ready after {seconds:.0f} s: {base}/admin/   (stop with Ctrl-C)\n")
    print(f"  Staff desk      {base}/admin/")
    print(f"  Pages and CMS   {base}/cms/")
    print(f"  API             {base}/api/v1/docs/")
    print(f"  Files and logs  {directory}\n")
    print(f"Sign in with one click per person on the sign-in page, or with the password  {password}")
    for role in ROLES:
        print(f"  {role.replace('_', '.')}@backlot.example")
    for email, *_others in COLLEAGUES:
        print(f"  {email}")
    print(flush=True)


def reset(arguments: list[str]) -> int:
    """Removes the data of the demo, after stopping its database."""
    directory = data_dir()
    if not directory.exists():
        print(f"There is no data in {directory}")
        return 0
    if not any((directory / name).exists() for name in ("postgres", "broker", "demo-password", "secret-key")):
        print(f"{directory} does not look like a data directory of Backlot; nothing was removed")
        return 1
    embedded.stop(directory)
    shutil.rmtree(directory)
    print(f"Removed {directory}")
    return 0
