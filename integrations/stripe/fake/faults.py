"""Failures to order: the next calls that match go wrong in a chosen way."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = {
    "timeout_before": "nothing is done and no answer comes",
    "timeout_after": "the work is done and no answer comes",
    "reset_before": "nothing is done and the connection is reset",
    "reset_after": "the work is done and the connection is reset",
    "error_before": "nothing is done and the answer is 500",
    "error_after": "the work is done and the answer is 500, also for the same key later",
    "rate_limit": "nothing is done and the answer is 429",
    "slow": "the work starts after a while; the key is in use meanwhile",
}


@dataclass
class Fault:
    """Strikes `count` calls with this method and path prefix; `seconds` is the length of a silence."""

    kind: str
    count: int = 1
    method: str = "POST"
    path: str = "/v1/"
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Unknown fault: {self.kind}")


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that matches, used up once."""
        with self._lock:
            for fault in self._waiting:
                if fault.count > 0 and method == fault.method and path.startswith(fault.path):
                    fault.count -= 1
                    return fault
        return None

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter([fault for fault in self._waiting if fault.count > 0])
