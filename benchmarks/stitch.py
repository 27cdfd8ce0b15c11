"""Identifiers to customers, with and without guards, beside plain connected components.

The pairs are devices on which customers identified, with a kiosk that many used, and links that
were wrong: without guards these two make one profile of tens of thousands of identifiers.
Every answer is compared with scipy's components of the pairs that count.

    python benchmarks/stitch.py
    python benchmarks/stitch.py --pairs 1_000_000 --contenders duckdb,rustworkx,igraph
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))  # a checkout need not be installed
import machine

import cxkit as cx

KIOSK = 30_000  # pairs of the shared device, per ten million
WRONG = 20_000  # pairs that were linked to somebody else, per ten million
FULL = 10_000_000
SPAN = (1_600_000_000_000_000, 1_700_000_000_000_000)


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Devices and the customers who identified on them.

    Attributes:
        device: (P,) whole numbers; 0 is the kiosk.
        customer: (P,) whole numbers.
        time: (P,) microseconds since 1970.
        devices: There are fewer devices than this.
        customers: There are fewer customers than this.
    """

    device: NDArray[np.int64]
    customer: NDArray[np.int64]
    time: NDArray[np.int64]
    devices: int
    customers: int

    @classmethod
    def draw(cls, size: int, rng: int = 0) -> Pairs:
        """Six devices and two and a half customers to ten pairs, and what joins strangers."""
        random = np.random.default_rng(rng)
        customers, devices = size // 4, size * 6 // 10
        owner = random.integers(0, customers, devices)
        device = random.integers(0, devices, size)
        customer = owner[device]
        kiosk, wrong = KIOSK * size // FULL, WRONG * size // FULL
        device[:kiosk] = 0
        customer[:kiosk] = random.integers(0, customers, kiosk)
        bad = random.integers(kiosk, size, wrong)
        customer[bad] = random.integers(0, customers, wrong)
        return cls(device, customer, random.integers(*SPAN, size), devices, customers)

    def components(self, kept: NDArray[np.bool_] | slice = slice(None)) -> NDArray[np.int64]:
        """(N,) of devices and customers in one row: scipy's label of each."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ends = self.device[kept], self.customer[kept] + self.devices
        nodes = self.devices + self.customers
        graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(nodes, nodes))
        return connected_components(graph, directed=False)[1]


@dataclasses.dataclass
class Run:
    """One way to stitch.

    Attributes:
        work: What is timed.
        groups: Turns what it gave into the label of each device and customer; not timed.
        seconds: How long each round took.
    """

    work: Callable[[], object]
    groups: Callable[[object], NDArray[np.int64]]
    seconds: list[float] = dataclasses.field(default_factory=list)


def ours(table: dict[str, object], **rules: object) -> Callable[[], cx.identity.Identity]:
    """Read the pairs and decide."""

    def work() -> cx.identity.Identity:
        identity = cx.identity.stitch(table, left="device", right="customer", **rules)
        identity.decision  # noqa: B018  # it is made when it is first asked for
        return identity

    return work


def same_parts(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether two labellings put the same things together."""

    def smallest(label: NDArray[np.int64]) -> NDArray[np.int64]:
        _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
        return first[inverse]

    return bool(np.array_equal(smallest(one), smallest(other)))


def check(pairs: Pairs, name: str, identity: cx.identity.Identity) -> str:
    """Hold one of ours against scipy: the components of exactly the pairs that were accepted.

    Returns:
        What it found, in words.
    """
    decision = identity.decision
    device, customer = np.unique(pairs.device), np.unique(pairs.customer)
    mine = np.empty(len(identity), np.int64)
    ids = identity.identifiers
    mine[ids.range("customer")] = customer + pairs.devices
    mine[ids.range("device")] = device
    theirs = pairs.components(decision.status == 0)[mine]
    assert same_parts(decision.group, theirs), name
    largest = int(np.bincount(decision.group).max())
    refused = int((decision.status > 1).sum())
    return f"{identity.customers:,} customers, the largest of {largest:,}; {refused:,} refused"


def check_kiosk(pairs: Pairs, free: cx.identity.Identity, guarded: cx.identity.Identity) -> None:
    """Unguarded, the kiosk and the wrong links make one profile; guarded, they join nobody."""
    kiosk = ("device", 0 if 0 in free.identifiers.vocabularies[1] else "device-000000000000")
    crowd = int(np.bincount(free.decision.group).max())
    assert crowd > 2 * KIOSK * len(pairs.device) // FULL, crowd
    assert guarded.customer_of(*kiosk) is None
    assert int(np.bincount(guarded.decision.group).max()) < 50
    assert len(guarded.members(*kiosk)) == 1


def others(pairs: Pairs) -> dict[str, Callable[[], object]]:
    """Plain components of the same pairs, by those that are installed."""
    nodes = pairs.devices + pairs.customers
    ends = pairs.device, pairs.customer + pairs.devices

    def rustworkx() -> NDArray[np.int64]:
        import rustworkx

        graph = rustworkx.PyGraph(multigraph=False)
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from_no_data(list(zip(*(end.tolist() for end in ends), strict=True)))
        label = np.empty(nodes, np.int64)
        for number, component in enumerate(rustworkx.connected_components(graph)):
            label[list(component)] = number
        return label

    def igraph() -> NDArray[np.int64]:
        import igraph

        graph = igraph.Graph(n=nodes, edges=np.column_stack(ends))
        return np.array(graph.connected_components().membership)

    def duckdb() -> NDArray[np.int64]:
        import duckdb

        with duckdb.connect() as base:
            base.register("given", {"a": ends[0], "b": ends[1]})
            base.execute("create table edge as select distinct a, b from given")
            base.execute(
                "create table label as select range as node, range as l from range(?)", [nodes]
            )
            while True:
                base.execute(_SPREAD)
                (changed,) = base.execute(
                    "select count(*) from next join label using (node) where next.l <> label.l"
                ).fetchone()
                base.execute("drop table label; alter table next rename to label")
                if not changed:
                    return base.execute("select l from label order by node").fetchnumpy()["l"]

    return {"scipy": pairs.components, "rustworkx": rustworkx, "igraph": igraph, "duckdb": duckdb}


# The smallest label of a neighbour, then the label of that: chains halve with every round.
_SPREAD = """
    create table next as
    with near as (
        select node, min(l) as l from (
            select a as node, l from edge join label on node = b
            union all select b, l from edge join label on node = a
            union all select node, l from label
        ) group by node
    )
    select near.node, least(near.l, label.l) as l from near join label on label.node = near.l
"""


def main() -> None:
    """Check every way once, then time them in turns."""
    options = arguments()
    pairs = Pairs.draw(options.pairs)
    unguarded = {"max_shared": None, "blocked": (), "exclusive": ()}
    numbers = {"device": pairs.device, "customer": pairs.customer}
    timed = numbers | {"time": pairs.time.view("M8[us]")}
    ways = {
        "cxkit, no guards": (numbers, unguarded),
        "cxkit, blocked and shared": (numbers, {"exclusive": ()}),
        "cxkit, all guards": (numbers, {"exclusive": "customer"}),
        "cxkit, times, no guards": (timed, unguarded | {"time": "time", "tz": "UTC"}),
        "cxkit, times, all guards": (timed, {"exclusive": "customer", "time": "time", "tz": "UTC"}),
    }
    if text := texts(pairs):
        ways["cxkit, text, no guards"] = text, unguarded
        ways["cxkit, text, all guards"] = text, {"exclusive": "customer"}
    works: dict[str, Callable[[], object]] = {}
    said: dict[str, str] = {}
    for name, (table, rules) in ways.items():
        works[name] = ours(table, **rules)
        identity = works[name]()
        said[name] = check(pairs, name, identity)
        if "no guards" in name:
            free = identity
        elif "all guards" in name:
            check_kiosk(pairs, free, identity)
    right = pairs.components()
    for name, work in others(pairs).items():
        if name == "scipy" or name in options.contenders:
            try:
                assert same_parts(work(), right), name
            except ImportError:
                said[name] = "not installed"
            else:
                works[name] = work
    del free, identity
    report(works, said, options)


def texts(pairs: Pairs) -> dict[str, object] | None:
    """The pairs as Arrow text, if pyarrow is installed."""
    try:
        import pyarrow as pa
    except ImportError:
        return None

    def column(numbers: NDArray[np.int64], kind: str) -> object:
        spelled = np.strings.zfill(np.arange(int(numbers.max()) + 1).astype("S12"), 12)
        labels = np.strings.add(f"{kind}-".encode(), spelled)
        chosen = labels[numbers]
        offsets = np.arange(len(chosen) + 1, dtype=np.int32) * labels.dtype.itemsize
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(chosen)]
        return pa.Array.from_buffers(pa.string(), len(chosen), buffers)

    return {"device": column(pairs.device, "device"), "customer": column(pairs.customer, "person")}


def report(
    works: dict[str, Callable[[], object]], said: dict[str, str], options: argparse.Namespace
) -> None:
    """Time in turns and print ratios."""
    given = np.random.default_rng(0).random(options.pairs)
    out = np.empty_like(given)
    works = {"R": functools.partial(np.cumsum, given, out=out)} | works
    seconds: dict[str, list[float]] = {name: [] for name in works}
    busy = []
    for _ in range(options.repeats):
        noise, options.patience = machine.wait_for_quiet(options.patience)
        busy.append(noise)
        for name, work in works.items():
            gc.collect()
            start = time.perf_counter()
            result = work()
            seconds[name].append(time.perf_counter() - start)
            del result
    took = {name: statistics.median(rounds) for name, rounds in seconds.items()}
    print(
        f"{options.pairs:,} pairs; {machine.describe()}; others used up to {max(busy):.1f} cores\n"
    )
    print("| | seconds | R | scipy | |")
    print("| --- | ---: | ---: | ---: | --- |")
    for name, second in took.items():
        print(
            f"| {name} | {second:.2f} | {second / took['R']:.1f} | {second / took['scipy']:.2f} "
            f"| {said.get(name, '')} |"
        )
    for name in said.keys() - took.keys():
        print(f"\n{name}: {said[name]}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=FULL)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait for quiet")
    parser.add_argument(
        "--contenders", type=lambda t: t.split(","), default=[], help="rustworkx, igraph, duckdb"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
