"""What the reader of a figure has to know of the machine, and whether anyone else is using it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

STAT = Path("/proc/stat")


def describe() -> str:
    """Processor, cores, memory and Python; no names of hosts or paths."""
    parts = [_processor(), f"{os.cpu_count()} cores"]
    if hasattr(os, "sysconf"):
        gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        parts.append(f"{gigabytes:.0f} GB")
    parts += [platform.system(), f"{platform.python_implementation()} {platform.python_version()}"]
    return ", ".join(parts)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in info.read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "no AVX2")
    family = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    return f"{fields.get('model name', platform.machine())} ({family}, {widest})"


def others(seconds: float = 0.2) -> float:
    """How many cores other processes keep busy, sampled while this one sleeps; 0 where unknown."""
    if not STAT.exists():
        time.sleep(seconds)
        return 0.0
    before = _busy()
    start = time.perf_counter()
    time.sleep(seconds)
    return (_busy() - before) / os.sysconf("SC_CLK_TCK") / (time.perf_counter() - start)


def wait_for_quiet(patience: float, *, limit: float = 0.15) -> tuple[float, float]:
    """Wait until others use less than ``limit`` cores, for at most ``patience`` seconds.

    Returns:
        The cores that others use now, and the patience that is left.
    """
    start = time.perf_counter()
    busy = others()
    while busy > limit and time.perf_counter() - start < patience:
        busy = others(0.5)
    return busy, max(0.0, patience - (time.perf_counter() - start))


def _busy() -> int:
    user, nice, system, _idle, _wait, irq, soft, *_ = map(int, STAT.read_text().split()[1:9])
    return user + nice + system + irq + soft
