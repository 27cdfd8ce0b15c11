"""Three microinteractions of real people: every recorded demonstration of three small web tasks.

The log holds each event of the browser twice; the capture phase is taken. Where a click fell is
told by its place on the page. The answer of the page, solved or failed, is the recorded reward.
"""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes
from cxkit.microinteraction import Microinteraction, ReplayCounts
from tests.shared import shared

DOCS = Path(__file__).parents[2] / "docs"
told = Microinteraction.told

LINK = (
    told("find-a-link", title="Find a link behind tabs")
    .trigger("tab", control="tab", label="Tab 1")
    .when("first tab")
    .on("tab", "searching", show="visual")
    .on("page", "chosen", show="visual")
    .when("searching")
    .on("tab", "searching", show="visual")
    .on("page", "chosen", show="visual")
    .when("chosen")
    .on("solved", "found", show="visual")
    .on("failed", "wrong link", show="visual")
    .ends("found")
    .ends("wrong link", failure=True)
    .system("solved")
    .failures("failed")
    .loop("look on", "searching", until="the link is seen")
    .done()
)
TIME = (
    told("enter-a-time", title="Enter a time")
    .trigger("field", control="text field")
    .when("empty")
    .on("field", "typing", show="visual")
    .when("typing")
    .on("key", "typing", show="visual")
    .on("field", "typing", show="visual")
    .on("submit", "sent", show="visual")
    .after("3s", "hesitating")
    .when("hesitating")
    .on("key", "typing", show="visual")
    .on("field", "typing", show="visual")
    .on("submit", "sent", show="visual")
    .when("sent")
    .on("solved", "right", show="visual")
    .on("failed", "wrong", show="visual")
    .ends("right")
    .ends("wrong", failure=True)
    .system("solved")
    .failures("failed")
    .loop("pauses", "hesitating", "typing", until="the time is complete")
    .done()
)
DATE = (
    told("choose-a-date", title="Choose a date")
    .trigger("field", control="text field")
    .when("empty")
    .on("field", "calendar", show="visual")
    .when("calendar")
    .on("arrow", "calendar", show="visual")
    .on("field", "calendar", show="visual")
    .on("below", "picked", show="visual")
    .when("picked")
    .on("field", "calendar", show="visual")
    .on("below", "sent", show="visual")
    .when("sent")
    .on("solved", "right", show="visual")
    .on("failed", "wrong", show="visual")
    .ends("right")
    .ends("wrong", failure=True)
    .system("solved")
    .failures("failed")
    .loop("again", "calendar", "picked", until="the date is right")
    .done()
)


def link_event(kind, x, y):
    if kind != "click":
        return None
    return "instruction" if y < 55 else "tab" if y < 85 else "page"


def time_event(kind, x, y):
    if kind == "keydown":
        return "key"
    if kind != "click":
        return None
    return "field" if 55 <= y < 92 else "submit" if 92 <= y < 125 else "elsewhere"


def date_event(kind, x, y):
    if kind != "click":
        return None
    if y < 80:
        return "field" if y >= 50 else "instruction"
    return "arrow" if y < 98 and (x < 60 or x > 125) else "below"


TASKS = {
    "click-tab-2-hard": (LINK, link_event),
    "enter-time": (TIME, time_event),
    "choose-date-nodelay": (DATE, date_event),
}


def table(name):
    with gzip.open(shared(f"data/miniwob-actions/{name}.csv.gz"), "rt", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def logs():
    """For each task: its journeys, the reward of each demonstration, and steps back in time."""
    demos = {row["demo_id"]: row for row in table("turk_2017_11_05_demos")}
    rows = {task: [] for task in TASKS}
    back = dict.fromkeys(TASKS, 0)
    now: dict[str, int] = {}
    for row in table("turk_2017_11_05_events"):
        demo = demos[row["demo_id"]]
        if demo["task"] not in TASKS or row["timing"] != "1":
            continue
        at, before = int(float(row["time_ms"])), now.get(row["demo_id"], 0)
        back[demo["task"]] += at < before  # a clock that jumps back counts as standing still
        now[row["demo_id"]] = at = max(at, before)
        event = TASKS[demo["task"]][1](row["type"], float(row["x"] or 0), float(row["y"] or 0))
        if event is not None:
            rows[demo["task"]].append((row["demo_id"], at, event))
    rewards = {}
    for name, demo in demos.items():
        if demo["task"] in TASKS and name in now:
            solved = float(demo["raw_reward"]) == 1
            rewards[name] = solved
            at = max(now[name], int(float(demo["duration_ms"] or 0)))
            rows[demo["task"]].append((name, at, "solved" if solved else "failed"))
    journeys = {}
    for task, found in rows.items():
        who, at, event = zip(*found, strict=True)
        journeys[task] = cx.Journeys.from_codes(
            customer=Codes.of(who),
            time=np.array(at, np.int64) * 1000,
            columns={"event": Codes.of(event)},
        )
    return journeys, rewards, back


EXPECTED = {
    "click-tab-2-hard": {
        "instances": 919, "ended": 900, "success": 845, "failed": 55, "abandoned": 19,
        "user_events": 2651, "dead": 52, "raged": 31, "timers": 0,
    },
    "enter-time": {
        "instances": 974, "ended": 907, "success": 823, "failed": 84, "abandoned": 61,
        "user_events": 10203, "dead": 164, "raged": 761, "timers": 126,
    },
    "choose-date-nodelay": {
        "instances": 1305, "ended": 1210, "success": 1124, "failed": 86, "abandoned": 84,
        "user_events": 11801, "dead": 241, "raged": 931, "timers": 0,
    },
}  # fmt: skip
# Demonstrations that the page took for solved; that the specification did not see as solved; and
# the median milliseconds from the trigger to an end, of those that succeed and that fail.
AGAINST_REWARD = {
    "click-tab-2-hard": (845, 0, 3138, 3027),
    "enter-time": (855, 32, 5436, 6520.5),
    "choose-date-nodelay": (1155, 31, 6651, 7434.5),
}


@pytest.mark.parametrize("task", TASKS)
def test_findings(task, logs):
    journeys, rewards, _ = logs
    spec = TASKS[task][0]
    found = ReplayCounts.of(journeys[task], spec=spec).result().totals
    assert {name: found[name] for name in EXPECTED[task]} == EXPECTED[task]
    instances = spec.replay(journeys[task]).instances()
    solved = np.array([rewards[c] for c in instances.customer])
    success = np.asarray(instances.success)
    assert not (success & ~solved).any()  # no success that the page did not reward
    assert (
        int(solved.sum()),
        int((solved & ~success).sum()),
        np.nanmedian(instances.end_ms[success]),
        np.nanmedian(instances.end_ms[instances.ended & ~success]),
    ) == AGAINST_REWARD[task]


def test_a_clock_that_jumps_back_is_seen(logs):
    assert sum(logs[2].values()) == 27  # events of one demonstration, in the calendar


def test_most_bursts_on_the_calendar_are_steps_from_month_to_month(logs):
    journeys = logs[0]["choose-date-nodelay"]
    use = ReplayCounts.of(journeys, spec=DATE).rules()
    used = {(r["state"], r["event"]): r["used"] for r in use.to_dicts()}
    assert used["calendar", "arrow"] == 7180
    spun = np.bincount(
        np.repeat(np.arange(len(journeys)), np.diff(journeys.offsets)),
        journeys.event.equals("arrow"),
    )
    assert np.median(spun) == 5


def test_bursts_without_the_event_that_is_meant_to_be_repeated(logs):
    for task, event, left in (
        ("choose-date-nodelay", "arrow", 77),
        ("enter-time", "key", 157),
    ):
        journeys = logs[0][task]
        found = TASKS[task][0].replay(journeys.where(~journeys.event.equals(event))).instances()
        assert int((found.rages > 0).sum()) == left


def test_lints():
    assert [spec.lint().pairs() for spec, _ in TASKS.values()] == [
        [],
        [],
        [],
    ]


def picture(journeys):
    """The calendar's states, each with how many came there and how many were left in it."""
    table = ReplayCounts.of(journeys, spec=DATE).states()
    rows = table.to_dicts()
    return DATE.to_svg(
        {
            row["state"]: f"{row['share']:.1%} came"
            + ("" if DATE.states[row["state"]].final else f", {row['last']} left")
            for row in rows
        }
    )


def test_the_picture_in_the_docs_is_that_of_the_data(logs):
    drawn = picture(logs[0]["choose-date-nodelay"])
    assert (DOCS / "concepts" / "microinteraction.svg").read_text("utf-8") == drawn + "\n"
