"""The walls around a child process, tried with programs that lean on them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integrations.ffmpeg import process
from integrations.ffmpeg.types import Limits, OverLimit, TimedOut

MEBIBYTE = 1024 * 1024


def python(script: str) -> list[str]:
    return [sys.executable, "-I", "-c", script]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie is dead; only its parent has not looked yet.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def gone(pid: int, *, within: float = 30) -> bool:
    end = time.monotonic() + within
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_output_status_and_last_words_are_answered(tmp_path: Path) -> None:
    script = "import sys; print('done'); print('oh', file=sys.stderr); sys.exit(3)"

    finished = process.run(python(script), directory=tmp_path, limits=Limits(seconds=10))

    assert finished.status == 3
    assert finished.output.read_text() == "done\n"
    assert finished.errors == "oh"


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pids', 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )

    with pytest.raises(TimedOut):
        # Two interpreters have to start within this time.
        process.run(python(script), directory=tmp_path, limits=Limits(seconds=5))

    assert gone(int((tmp_path / "pids").read_text()))


def test_memory_beyond_the_limit_is_refused_to_the_program(tmp_path: Path) -> None:
    script = "x = bytearray(600 * 1024 * 1024)"

    finished = process.run(python(script), directory=tmp_path, limits=Limits(memory_bytes=300 * MEBIBYTE))

    assert finished.status != 0
    assert "MemoryError" in finished.errors


def test_one_large_file_is_stopped(tmp_path: Path) -> None:
    script = "f = open('big', 'wb')\nwhile True: f.write(bytes(1024 * 1024))"

    with pytest.raises(OverLimit):
        process.run(python(script), directory=tmp_path, limits=Limits(seconds=20, output_bytes=MEBIBYTE))


def test_many_small_files_are_stopped(tmp_path: Path) -> None:
    script = (
        "import itertools, time\n"
        "for n in itertools.count():\n"
        "    open(f'f{n}', 'wb').write(bytes(100 * 1024))\n"
        "    time.sleep(0.005)"
    )

    with pytest.raises(OverLimit):
        process.run(python(script), directory=tmp_path, limits=Limits(seconds=30, output_bytes=MEBIBYTE))


def test_the_program_sees_no_keys_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-value")

    finished = process.run(
        python("import os; print(dict(os.environ), os.getcwd())"), directory=tmp_path, limits=Limits()
    )

    said = finished.output.read_text()
    assert "canary-value" not in said
    assert str(tmp_path) in said


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_the_program_reaches_no_network_where_the_kernel_can_forbid_it(tmp_path: Path) -> None:
    allowed = subprocess.run(["unshare", "-U", "-n", "true"], capture_output=True, check=False).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2)"
        finished = process.run(python(script), directory=tmp_path, limits=Limits(seconds=10))

    assert (finished.status != 0) is allowed


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_the_program_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    inner = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    worker = subprocess.Popen(
        python(
            "import sys; sys.path.insert(0, sys.argv[1])\n".replace("sys.argv[1]", repr(os.getcwd()))
            + "from pathlib import Path\n"
            "from integrations.ffmpeg import process\n"
            "from integrations.ffmpeg.types import Limits\n"
            f"process.run([sys.executable, '-I', '-c', {inner!r}], directory=Path({str(tmp_path)!r}), "
            "limits=Limits(seconds=60))"
        )
    )
    end = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert gone(pid)
