"""One confined child process: time, memory and output limits, its own directory, killed as a group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from integrations.ffmpeg.types import Limits, OverLimit, TimedOut

_CONFINE = Path(__file__).with_name("confine.py")
_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.5
_STDERR_KEPT = 4000


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended by itself: its exit status, the file with its standard output, its last words."""

    status: int
    output: Path
    errors: str


def run(
    command: Sequence[str],
    *,
    directory: Path,
    limits: Limits,
    watch: Callable[[Path], None] | None = None,
) -> Finished:
    """Run `command` (absolute program first) inside `directory`, which should hold nothing else.

    `watch` is called about twice a second with the file that receives standard output.
    Raises TimedOut after `limits.seconds`, OverLimit when all files in `directory` together, or the memory,
    pass their limit. In every case, also on an exception in `watch`, no process of the group is left.
    """
    output = directory / ".stdout"
    errors = directory / ".stderr"
    with output.open("wb") as stdout, errors.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603
            _confined(command, limits),
            cwd=directory,
            env=_environment(directory),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            close_fds=True,
        )
        try:
            _attend(child, directory=directory, limits=limits, output=output, watch=watch)
        finally:
            _end_group(child)
    words = _last_words(errors)
    if child.returncode == -signal.SIGXFSZ or "File too large" in words:
        raise OverLimit(f"The result would be larger than {limits.output_bytes} bytes.")
    if child.returncode == -signal.SIGXCPU:
        raise TimedOut(f"The work was not done after {limits.seconds:g} seconds.")
    if child.returncode != 0 and ("Cannot allocate memory" in words or "bad_alloc" in words):
        raise OverLimit(f"The file needs more than {limits.memory_bytes} bytes of memory.")
    return Finished(status=child.returncode, output=output, errors=words)


def _confined(command: Sequence[str], limits: Limits) -> list[str]:
    # Several threads use processor time side by side, so the wall clock is the limit that bites first.
    cpu_seconds = int(limits.seconds * (os.cpu_count() or 1)) + 1
    numbers = (os.getpid(), cpu_seconds, limits.memory_bytes, limits.output_bytes)
    return [sys.executable, "-I", "-S", str(_CONFINE), *(str(number) for number in numbers), *command]


def _environment(directory: Path) -> dict[str, str]:
    """Nothing of ours: no keys, no addresses, no home."""
    place = str(directory)
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C",
        "LC_ALL": "C",
        "HOME": place,
        "TMPDIR": place,
        # Fewer arenas: address space is what is limited, and each arena reserves 64 MiB of it.
        "MALLOC_ARENA_MAX": "2",
    }


def _attend(
    child: subprocess.Popen[bytes],
    *,
    directory: Path,
    limits: Limits,
    output: Path,
    watch: Callable[[Path], None] | None,
) -> None:
    started = time.monotonic()
    next_watch = started + _WATCH_SECONDS
    while child.poll() is None:
        now = time.monotonic()
        if now - started > limits.seconds:
            raise TimedOut(f"The work was not done after {limits.seconds:g} seconds.")
        if now >= next_watch:
            next_watch = now + _WATCH_SECONDS
            if directory_bytes(directory) > limits.output_bytes:
                raise OverLimit(f"The result would be larger than {limits.output_bytes} bytes.")
            if watch is not None:
                watch(output)
        try:
            child.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    if directory_bytes(directory) > limits.output_bytes:
        raise OverLimit(f"The result would be larger than {limits.output_bytes} bytes.")


def directory_bytes(directory: Path) -> int:
    """Bytes of all regular files below `directory`; links are not followed."""
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                # A temporary file that the program renamed meanwhile.
                continue
    return total


def _end_group(child: subprocess.Popen[bytes]) -> None:
    # The group may be gone already (macOS answers "not permitted" for one of zombies only).
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _last_words(errors: Path) -> str:
    with errors.open("rb") as stream:
        stream.seek(max(0, errors.stat().st_size - _STDERR_KEPT))
        return stream.read().decode("utf-8", "replace").strip()
