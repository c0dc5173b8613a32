"""Start a program with its resources cut down, then become it.

Run as a script by `process.run` (never imported by it), so that limits are set in the child itself and no
code runs between fork and exec of a threaded parent:

    python -I -S confine.py <parent pid> <cpu seconds> <memory bytes> <file bytes> program [argument ...]
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38


def limit(kind: int, amount: int) -> None:
    _, hard = resource.getrlimit(kind)
    wanted = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(kind, (wanted, wanted))


def tie_to_parent(parent: int) -> None:
    """Die with the worker, also when the worker is killed without a chance to clean up (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(125)


def leave_the_network() -> None:
    """A second wall behind ffmpeg's protocol list: an empty network, where the kernel allows it."""
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    except (AttributeError, OSError):
        # Kernels and containers without user namespaces: the protocol list stands alone.
        return


def main() -> None:
    parent, cpu_seconds, memory_bytes, file_bytes = (int(value) for value in sys.argv[1:5])
    command = sys.argv[5:]
    os.nice(10)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_CPU, cpu_seconds)
    limit(resource.RLIMIT_FSIZE, file_bytes)
    limit(resource.RLIMIT_NOFILE, 256)
    if sys.platform == "linux":
        tie_to_parent(parent)
        leave_the_network()
        # Last: from here on even this interpreter has only what the program will have.
        limit(resource.RLIMIT_AS, memory_bytes)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
