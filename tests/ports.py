"""Ports for servers that tests start by themselves some time after choosing them."""

import random
from pathlib import Path

from deploy.local.demo import port_is_free

# From here on the system gives ports to whoever connects anywhere.
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LEAST, _USUAL_MOST = 20_000, 32_767
_chance = random.SystemRandom()


def ports(number: int) -> list[int]:
    """So many ports that are free and that nobody is given by chance before somebody listens there."""
    most = int(_RANGE.read_text().split()[0]) - 1 if _RANGE.exists() else _USUAL_MOST
    assert most - _LEAST > 1_000, "the system hands out every port"
    free: list[int] = []
    while len(free) < number:
        port = _chance.randint(_LEAST, most)
        if port not in free and port_is_free(port):
            free.append(port)
    return free
