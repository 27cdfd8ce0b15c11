"""A contender in a process of its own, which answers every line with a line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Worker:
    """A contender in a process of its own.

    Attributes:
        name: What it is called in tables.
        state: ``"here"``, ``"not installed"`` or ``"failed"``.
        trouble: Why it is not here, in its own words.
        rows: What it can answer.
        versions: Of the libraries that it uses.
    """

    def __init__(self, name: str, command: Sequence[str | Path], threads: int) -> None:
        self.name = name
        paths = (str(HERE.parent / "src"), os.environ.get("PYTHONPATH"))
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ
            | {
                "POLARS_MAX_THREADS": str(threads),
                "OMP_NUM_THREADS": str(threads),
                "RETENTIONEERING_NO_TRACK": "1",
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
        )
        hello = self._hear()
        self.trouble: str = hello.get("missing") or hello.get("failed") or ""
        self.state = "not installed" if "missing" in hello else "failed" if self.trouble else "here"
        self.rows: list[str] = hello.get("rows", [])
        self.versions: dict[str, str] = hello.get("versions", {})

    def ask(self, **request: str) -> dict[str, Any]:
        """Send a request and wait for what comes back."""
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"failed": "the process ended without a word"}

    def close(self) -> None:
        """End the process by ending its input."""
        self.process.stdin.close()
        self.process.wait()
