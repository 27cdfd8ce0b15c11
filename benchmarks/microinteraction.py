"""Replay of recorded streams: cxkit in R, a plain loop, and other machines event by event.

``python benchmarks/microinteraction.py [--events 10_000_000] [--peers-python PYTHON ...]``. R is
``np.cumsum`` of as many float64, in the same process. The peers (``pip install transitions
python-statemachine sismic``) take the same first events one by one, without timers, and their
states at the end of each stream are checked against ours.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RULES = [
    ("idle", "tap", "pending"),
    ("pending", "ok", "undoable"),
    ("pending", "fail", "error"),
    ("undoable", "undo", "idle"),
    ("error", "retry", "pending"),
    ("error", "undo", "idle"),
]
STATES = ["idle", "pending", "undoable", "error"]
EVENTS = ["tap", "ok", "fail", "undo", "retry"]
TIMERS = {"pending": (10_000, "error"), "undoable": (5_000, "idle"), "error": (60_000, "idle")}
PEERS = ("transitions", "statemachine", "sismic")
PEER_EVENTS = 20_000
REPEATS = 7


def streams(events: int, mean: int) -> tuple[Any, Any, Any]:
    """Offsets, events as numbers, and times in microseconds."""
    import numpy as np

    rng = np.random.default_rng(mean)
    if mean * 10 >= events:
        offsets = np.arange(11) * (events // 10)
    else:
        sizes = rng.geometric(1 / mean, 2 * events // mean + 10)
        cuts = np.append(0, np.cumsum(sizes))
        offsets = np.append(cuts[cuts < events], events)
    total = int(offsets[-1])
    at = np.cumsum(rng.integers(0, 2_000_000, total))
    return offsets, rng.integers(0, len(EVENTS), total).astype(np.uint8), at


def the_spec(*, timers: bool) -> Any:
    from cxkit.microinteraction import Microinteraction, State, Timer, Trigger

    on: dict[str, dict[str, str]] = {name: {} for name in STATES}
    for source, event, target in RULES:
        on[source][event] = target
    after = {name: Timer(*TIMERS[name]) for name in TIMERS} if timers else {}
    return Microinteraction(
        id="like",
        trigger=Trigger("manual", "tap"),
        events=dict.fromkeys(EVENTS, "user"),
        initial="idle",
        states={name: State(on[name], after.get(name)) for name in STATES},
    )


def the_journeys(events: int, mean: int) -> Any:
    import numpy as np

    import cxkit as cx
    from cxkit.core.codes import Codes

    offsets, codes, at = streams(events, mean)
    who = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    column = Codes.from_codes(codes, EVENTS)
    return cx.Journeys.from_codes(customer=who, time=at, columns={"event": column})


def median(run: Callable[[], Any], repeats: int = REPEATS) -> float:
    took = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def plain_loop(offsets: list[int], codes: list[int]) -> list[str]:
    """What one would write by hand, without timers."""
    rules = {(s, EVENTS.index(e)): t for s, e, t in RULES}
    ends = []
    for first, last in itertools.pairwise(offsets):
        state = "idle"
        for code in codes[first:last]:
            state = rules.get((state, code), state)
        ends.append(state)
    return ends


# ------------------------------------------------------------------ the peers


def with_transitions() -> tuple[
    Callable[[], Any], Callable[[Any, str], None], Callable[[Any], str]
]:
    from transitions import Machine

    table = [{"trigger": e, "source": s, "dest": t} for s, e, t in RULES]

    def make() -> Any:
        return Machine(
            states=STATES,
            transitions=table,
            initial="idle",
            ignore_invalid_triggers=True,
            auto_transitions=False,
        )

    return make, lambda m, event: m.trigger(event), lambda m: m.state


def with_statemachine() -> tuple[Any, Any, Any]:
    from statemachine import State, StateMachine

    made = {name: State(initial=name == "idle") for name in STATES}
    namespace: dict[str, Any] = dict(made)
    for event in EVENTS:
        ways = [made[s].to(made[t]) for s, e, t in RULES if e == event]
        namespace[event] = ways[0]
        for way in ways[1:]:
            namespace[event] = namespace[event] | way
    namespace["allow_event_without_transition"] = True
    kind = type("Like", (StateMachine,), namespace)
    return kind, lambda m, event: m.send(event), lambda m: next(iter(m.configuration)).id


def with_sismic() -> tuple[Any, Any, Any]:
    from sismic.interpreter import Interpreter
    from sismic.model import BasicState, CompoundState, Statechart, Transition

    chart = Statechart("like")
    chart.add_state(CompoundState("root", initial="idle"), None)
    for name in STATES:
        chart.add_state(BasicState(name), "root")
    for source, event, target in RULES:
        chart.add_transition(Transition(source, target, event))

    def make() -> Any:
        running = Interpreter(chart)
        running.execute_once()
        return running

    def send(running: Any, event: str) -> None:
        running.queue(event)
        running.execute_once()

    return make, send, lambda m: next(name for name in m.configuration if name != "root")


def peer(name: str) -> None:
    """Seconds per event of a peer, and where each stream ends, as JSON."""
    make, send, state = globals()[f"with_{name}"]()
    offsets, codes = json.loads(sys.stdin.read())
    ends, took = [], 0.0
    for first, last in itertools.pairwise(offsets):
        machine = make()  # not timed: only events are compared
        begin = time.perf_counter()
        for code in codes[first:last]:
            send(machine, EVENTS[code])
        took += time.perf_counter() - begin
        ends.append(state(machine))
    print(json.dumps([took / max(len(codes), 1), ends]))


def ask(pythons: list[str], name: str, work: str) -> tuple[float, list[str]] | None:
    for python in pythons:
        command = [python, str(Path(__file__)), "--peer", name]
        done = subprocess.run(command, input=work, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            took, ends = json.loads(done.stdout.splitlines()[-1])
            return took, ends
    return None


# ------------------------------------------------------------------ the figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument(
        "--peers-python", nargs="+", default=[sys.executable], help="interpreters with the peers"
    )
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer(options.peer)
        return
    import machine
    import numpy as np

    numbers = np.random.default_rng(0).random(options.events)
    out = np.empty_like(numbers)
    plain, timed = the_spec(timers=False), the_spec(timers=True)
    print(f"# Replay of {options.events:,} events\n\n- machine: {machine.describe()}\n")
    print("| streams | what | ms | R | million events per second |\n|---|---|---|---|---|")
    rate = 0.0
    for mean in (8, 100, options.events // 10):
        journeys = the_journeys(options.events, mean)
        rows = {
            "state at the end": lambda j=journeys: plain.end_states(j),
            "state at every event": lambda j=journeys: plain.replay(j),
            "state at every event, timers": lambda j=journeys: timed.replay(j),
        }
        for name, run in rows.items():
            unit = median(lambda: np.cumsum(numbers, out=out))
            took = median(run)
            if mean == 8 and run is rows["state at every event"]:
                rate = options.events / took
            head = f"| {len(journeys):,} of {mean:,} | {name} | {took * 1e3:,.0f} |"
            print(f"{head} {took / unit:.2f} | {options.events / took / 1e6:.1f} |", flush=True)
    offsets, codes, _ = streams(PEER_EVENTS, 8)
    work = [offsets.tolist(), codes.tolist()]
    small = the_journeys(PEER_EVENTS, 8)
    ours = plain.end_states(small).to_list()
    assert plain_loop(*work) == ours
    print("\n| one event at a time | microseconds per event | replay faster by |")
    print("|---|---|---|")
    loop = median(lambda: plain_loop(*work)) / PEER_EVENTS
    rows_: dict[str, float] = {"a plain loop over a dictionary": loop, "cxkit live": live(timed)}
    for name in PEERS:
        found = ask(options.peers_python, name, json.dumps(work))
        if found is None:
            print(f"| {name} | not installed | |")
            continue
        assert found[1] == ours, name
        rows_[name] = found[0]
    for name, seconds in rows_.items():
        print(f"| {name} | {seconds * 1e6:.2f} | {seconds * rate:,.0f} |")


def live(spec: Any) -> float:
    """Median seconds of one send, timers included."""
    _, codes, at = streams(PEER_EVENTS, 8)
    now, took = spec.run(), []
    for code, ms in zip(codes.tolist(), (at / 1000).tolist(), strict=True):
        begin = time.perf_counter()
        now.send(EVENTS[code], ms)
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


if __name__ == "__main__":
    main()
