"""Which machine it was: a figure without that is nobody's."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path


def describe() -> str:
    """Cores, processor, memory, system, and how busy it was, in one line."""
    cores = len(os.sched_getaffinity(0))
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    words = [f"{cores} × {found[1] if found else platform.machine()}", f"{memory:.0f} GB", system]
    words += [f"kernel {platform.release()}", f"load {os.getloadavg()[0]:.1f} at the start"]
    return f"{', '.join(words)}; {datetime.now(UTC):%Y-%m-%d}"


def is_busy() -> bool:
    """Whether others compute: medians and multiples hold more or less then, figures do not."""
    return os.getloadavg()[0] > 0.5 * len(os.sched_getaffinity(0))
