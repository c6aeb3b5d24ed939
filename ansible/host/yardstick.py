"""How fast this machine is just now, from a third of a second of work, so that no estimate is another machine's.

Work is stated in core-seconds of a core that compresses PER_SECOND of our blocks in a second with zlib. Kubernetes and
the images were measured in them; what they take here follows from how many blocks all cores get done together.
"""

from __future__ import annotations

import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PER_SECOND = 11.0
SECONDS = 0.3
BLOCK = b"".join(b"%d %d\n" % (i * i % 9973, i * 7919 % 65537) for i in range(90_000))


@dataclass(frozen=True)
class Machine:
    """cores: that we may use; speed: core-seconds of work that all of them do in a second, beside what else runs."""

    cores: int
    speed: float

    def seconds(self, work: float, at_once: float = float("inf")) -> float:
        """How long some work takes. at_once: cores that it can use at most."""
        return work / (self.speed * min(1.0, at_once / self.cores))


def measure() -> Machine:
    """Compress on every core at once; zlib lets Python's other threads run meanwhile."""
    cores = len(os.sched_getaffinity(0))
    began = time.monotonic()
    with ThreadPoolExecutor(cores) as pool:
        blocks = sum(pool.map(lambda _: _compress(began + SECONDS), range(cores)))
    return Machine(cores, blocks / (time.monotonic() - began) / PER_SECOND)


def _compress(until: float) -> int:
    """Blocks done, the last one to its end."""
    done = 0
    while not done or time.monotonic() < until:
        zlib.compress(BLOCK, 6)
        done += 1
    return done
