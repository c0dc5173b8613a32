"""A worker killed with -9 in the middle of a file: the work resumes where it stood."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backoffice.core import clock, jobs
from backoffice.core.models import Job
from backoffice.media import queries
from backoffice.media.models import Asset
from backoffice.media.services import assets, processing
from integrations.ffmpeg.client import find_binary
from tests import media_files
from tests.factories import media

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import sys
import django
from django.conf import settings
django.setup()
settings.STORAGE_DIR, settings.FFMPEG_BINARY = sys.argv[2], sys.argv[3]
settings.MEDIA_STORAGE_BACKEND, settings.CLAMAV_SOCKET = "local", ""
from backoffice.core import jobs
jobs.run(sys.argv[1])
"""


def stalling_ffmpeg(directory: Path) -> Path:
    """The real program, but its HLS run hangs until it is killed."""
    script = directory / "ffmpeg-that-hangs"
    pid = shlex.quote(str(directory / "pid"))
    script.write_text(
        "#!/bin/sh\n"
        f'case " $* " in *" -f hls "*) echo $$ > {pid}; exec sleep 120;; esac\n'
        f'exec {shlex.quote(find_binary())} "$@"\n'
    )
    script.chmod(0o755)
    return script


def wait_for(condition: Any, *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    place = Path(f"/proc/{pid}/stat")
    try:
        return place.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_killed_run_is_taken_up_and_finished_steps_are_not_repeated(storage_dir: Path, tmp_path: Path) -> None:
    asset = media.uploaded(media_files.video())
    job = Job.objects.get(kind=assets.PROCESS)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(job.id), str(storage_dir), str(stalling_ffmpeg(tmp_path))],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    try:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
        with pytest.raises(processing.Busy):
            processing.process(asset.id, on_progress=lambda *_: None)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    ffmpeg_pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_alive(ffmpeg_pid))

    before = {step.name: (step.state, step.finished_at) for step in queries.checklist(asset)}
    assert before["preview"][0] == "done"
    assert before["hls"] == ("running", None)
    assert Job.objects.get(id=job.id).state == "running"

    late = clock.now() + processing.ABANDONED_AFTER + timedelta(seconds=5)
    wait_for(lambda: processing.recover(at=late) == 1)
    jobs.run_due(kinds=[assets.PROCESS])

    asset.refresh_from_db()
    after = {step.name: (step.state, step.finished_at) for step in queries.checklist(asset)}
    assert asset.processing_status == "ready"
    assert after["hls"][0] == "done"
    assert {name: after[name] for name in after if name != "hls"} == {
        name: before[name] for name in before if name != "hls"
    }
    assert Asset.objects.filter(parent=asset).count() == 4
    assert list((storage_dir / "work").iterdir()) == []


def test_two_workers_never_process_one_file_at_once() -> None:
    asset = media.uploaded(media_files.video(seconds=4))
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def work() -> None:
        barrier.wait()
        try:
            processing.process(asset.id, on_progress=lambda *_: None)
            outcomes.append("done")
        except processing.Busy:
            outcomes.append("busy")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, name=f"race-{n}") for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["busy", "done"]
    asset.refresh_from_db()
    assert asset.processing_status == "ready"
