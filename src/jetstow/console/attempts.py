"""Failed attempts to sign in, by client address and by access key."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import Address

LIMIT: Final = 5
# The time in which `LIMIT` attempts may fail, in seconds.
PERIOD: Final = 60.0
# How many addresses and keys are remembered: a client with many addresses must not fill the memory.
_MAX_NAMES: Final = 10_000


# Who has an address of IPv6 has the whole network of this size.
_IPV6_PREFIX: Final = 64


def client_name(address: Address | None) -> str:
    """Return the name of a client that attempts are counted for."""
    if address is None:
        return "client"
    try:
        parsed = ipaddress.ip_address(address.host)
    except ValueError:
        return f"client {address.host}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"client {parsed.ipv4_mapped}"
        return f"client {ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False)}"
    return f"client {parsed}"


class Attempts:
    """Counts failed attempts of names in a period. Each worker has its own counts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def wait(self, names: Iterable[str]) -> int:
        """Return in how many seconds the next attempt is allowed for all names; 0: now."""
        now = self._clock()
        return max((self._wait(name, now) for name in names), default=0)

    def add(self, names: Iterable[str]) -> None:
        """Count a failed attempt."""
        now = self._clock()
        for name in names:
            if name not in self._failed and len(self._failed) >= _MAX_NAMES:
                self._discard_oldest(now)
            self._failed.setdefault(name, deque(maxlen=LIMIT)).append(now)

    def _wait(self, name: str, now: float) -> int:
        times = self._failed.get(name)
        if times is None or len(times) < LIMIT:
            return 0
        return max(0, math.ceil(times[0] + PERIOD - now))

    def _discard_oldest(self, now: float) -> None:
        self._failed = {n: times for n, times in self._failed.items() if times[-1] > now - PERIOD}
        while len(self._failed) >= _MAX_NAMES:
            del self._failed[next(iter(self._failed))]
