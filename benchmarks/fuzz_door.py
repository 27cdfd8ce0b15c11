"""Fuzz the door for minutes: no crash that is not a CxError, and no row lost.

    python benchmarks/fuzz_door.py --minutes 10 [--seed 7]

With atheris installed, half of the time goes to files whose bytes atheris chooses by what the code
does with them; the rest, and all of it without atheris, to damaged files and to tables that
hypothesis makes. What fails is printed with all that is needed to see it again.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import hypothesis

from tests.fuzz import door


def damaged_files(until: float, rng: random.Random, folder: Path) -> Counter:
    seeds = {**door.SEEDS, ".parquet": [door.parquet_seed()]}
    counts: Counter = Counter()
    while time.monotonic() < until:
        ending = rng.choice(list(seeds))
        data = door.damaged(rng.choice(seeds[ending]), rng, most=rng.choice([1, 3, 8, 20]))
        roles = door.some_roles(ending, rng)
        packed = rng.choice(["", "", ".gz"]) if ending != ".parquet" else ""
        try:
            read = door.check_file(folder, ending, data, roles, packed)
        except Exception:  # noqa: BLE001  # whatever it is, it is what we look for
            kept = Path(tempfile.mkdtemp()) / f"log{ending}{packed}"
            kept.write_bytes((folder / kept.name).read_bytes())
            traceback.print_exc()
            print(f"failed: {kept}, read with {roles}")
            raise SystemExit(1) from None
        counts[f"{ending} {'read' if read else 'refused'}"] += 1
    return counts


def tables(until: float, rng: random.Random) -> int:
    done = 0

    def one(table: dict, roles: dict) -> None:
        nonlocal done
        done += 1
        door.check_table(table, roles)

    while time.monotonic() < until:
        run = hypothesis.given(door.TABLE, hypothesis.strategies.sampled_from(door.ROLES))(one)
        run = hypothesis.seed(rng.getrandbits(64))(run)
        hypothesis.settings(max_examples=500, deadline=None, database=None)(run)()
    return done


def guided(seconds: int, seed: int) -> None:
    """Run atheris in a process of its own, for it never returns."""
    code = (
        "import atheris, sys, tempfile, pathlib\n"
        "with atheris.instrument_imports(include=['cxkit']):\n"
        "    from tests.fuzz import door\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "atheris.Setup(sys.argv, lambda data: door.from_bytes(data, folder) and None)\n"
        "atheris.Fuzz()\n"
    )
    root = Path(__file__).resolve().parents[1]
    corpus = Path(tempfile.mkdtemp())
    endings = [*sorted(door.SEEDS), ".parquet"]
    for ending, seeds in door.SEEDS.items():
        for at, data in enumerate(seeds):
            for role in range(len(door.ROLES)):
                head = bytes([endings.index(ending), role])
                (corpus / f"{ending[1:]}-{at}-{role}").write_bytes(head + data)
    command = [sys.executable, "-c", code, str(corpus)]
    limits = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=4096", "-timeout=20"]
    subprocess.run([*command, *limits], check=True, cwd=root)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--seed", type=int, default=None)
    told = arguments.parse_args()
    seed = random.SystemRandom().getrandbits(31) if told.seed is None else told.seed
    rng = random.Random(seed)
    print(f"seed {seed}")
    seconds = told.minutes * 60
    if importlib.util.find_spec("atheris"):
        seconds /= 2
        guided(int(seconds), seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = damaged_files(began + seconds / 2, rng, Path(folder))
    for name, count in sorted(counts.items()):
        print(f"{count:>9,} {name}")
    print(f"{tables(began + seconds, rng):>9,} tables of anything")
    print("no crash, no row lost")


if __name__ == "__main__":
    main()
