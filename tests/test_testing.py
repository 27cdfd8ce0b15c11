"""What users test with: every summary of the library passes, every broken one is caught."""

import attrs
import numpy as np
import pytest

import cxkit as cx
from cxkit.core.codes import Codes, Vocabulary
from cxkit.core.summary import AXIS, PARAMETER, SHARDS, total
from cxkit.model.summaries import JourneySummary
from cxkit.testing import assert_journeys_equal, check_summary
from tests.laws.test_summaries import CASES, journeys_of, many_rows

LOG = journeys_of(many_rows(3)[:400])


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_every_summary_of_the_library_passes(kind, parameters):
    check_summary(kind, journeys=LOG, **parameters)


def test_by_default_on_journeys_of_its_own():
    check_summary(cx.flow.Transitions)
    check_summary(cx.attribution.Paths, goal="purchase", by="channel", lookback="7d")
    check_summary(cx.flow.DropOff, cx.Journeys.empty())


@attrs.frozen(eq=False, repr=False)
class Firsts(JourneySummary):
    """Journeys and their values by first channel, as it should be; others break one law each."""

    by: str = attrs.field(metadata=PARAMETER)
    labels: Vocabulary = attrs.field(metadata=AXIS)
    count: np.ndarray = attrs.field(metadata=total("shard", "labels"))
    value: np.ndarray = attrs.field(metadata=total("shard", "labels"))

    @classmethod
    def of(cls, journeys, /, *, by="channel"):
        column = journeys.codes(by)
        first = cls.choose(column, journeys)
        cell = journeys.shards * first.slots + first.codes
        shape, size = (SHARDS, first.slots), SHARDS * first.slots
        value = np.add.reduceat(np.nan_to_num(journeys.value), journeys.offsets[:-1])
        return cls(
            by,
            first.vocabulary,
            cls.weigh(np.bincount(cell, minlength=size).reshape(shape)),
            np.bincount(cell, value, size).reshape(shape),
        )

    @staticmethod
    def choose(column, journeys):
        rows = column.codes[journeys.offsets[:-1]]
        return Codes.from_codes(rows, column.vocabulary, missing=column.missing)

    @staticmethod
    def weigh(count):
        return count

    def result(self):
        return {"count": self.count.sum(axis=0)}


class Shares(Firsts):
    @staticmethod
    def weigh(count):
        return count / max(count.sum(), 1)


class NeverEmpty(Firsts):
    @staticmethod
    def weigh(count):
        return np.maximum(count, 1)


class FirstInTheStore(Firsts):
    """It looks at the first row of all, whichever journey that belongs to."""

    @staticmethod
    def weigh(count):
        count = count.copy()
        count[0, 0] += count.any()
        return count


class Random(Firsts):
    @staticmethod
    def weigh(count):
        return count + np.random.default_rng().integers(10**9) * (count.sum() > 300)


class Writes(Firsts):
    def result(self):
        self.count.flags.writeable = True
        self.count[0, 0] += 1
        return {}


class RaisesOnNothing(Firsts):
    @classmethod
    def of(cls, journeys, /, *, by="channel"):
        if not len(journeys):
            raise ValueError("no data")
        return super().of(journeys, by=by)


class Forgets(Firsts):
    @classmethod
    def from_bytes(cls, data):
        read = super().from_bytes(data)
        return cls(read.by, read.labels, read.count, read.value * 0)


@attrs.frozen(eq=False, repr=False)
class WritableBytes(Firsts):
    def __attrs_post_init__(self):
        pass


def test_a_summary_that_keeps_the_laws_passes():
    check_summary(Firsts)
    check_summary(Firsts, LOG, by="campaign")


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (Shares, AssertionError, "merge: the parts of the journeys.*count is"),
        (NeverEmpty, AssertionError, "zero: zero \\+ summary"),
        (FirstInTheStore, AssertionError, "merge: .*count"),
        (Random, AssertionError, "count"),
        (Writes, (AssertionError, ValueError), "purity|WRITEABLE|read-only"),
        (RaisesOnNothing, ValueError, "no data"),
        (Forgets, AssertionError, "round trip: what was read from bytes.*value is"),
        (WritableBytes, AssertionError, "purity: count of a WritableBytes can be written to"),
    ],
)
def test_a_summary_that_breaks_a_law_is_caught(kind, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        check_summary(kind, LOG)


# ---------------------------------------------------------------- journeys


def small(**columns):
    table = {
        "c": ["a", "a", "b"],
        "t": [1, 2, 3],
        "e": ["x", "y", None],
        "v": [1.0, None, 3.0],
        **columns,
    }
    return cx.Journeys.from_table(
        table, customer="c", time="t", event="e", value="v", time_unit="s"
    )


def test_equal_journeys_are_equal_whatever_their_codes():
    log = LOG[: len(LOG) // 2]
    assert_journeys_equal(log, cx.Journeys.concat([log[:10], log[10:]]))
    assert_journeys_equal(small(), small())
    assert_journeys_equal(small()[0], small()[:1])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (small()[:1], "2 journeys on the left, 1 on the right"),
        (small(c=["a", "b", "b"]), r"journey 0 \('a'\) has 2 touchpoints on the left, 1 on"),
        (small(c=["a", "a", "c"]), "customer of journey 1: 'b' on the left, 'c' on the right"),
        (small(c=["1", "1", "2"]), "customer of journey 0: 'a' on the left, '1' on the right"),
        (small(t=[1, 2, 4]), "time of touchpoint 2: 1970-01-01T00:00:03"),
        (small(e=["x", "x", None]), "event of touchpoint 1: 'y' on the left, 'x' on the right"),
        (small(e=["x", "y", "z"]), "event of touchpoint 2: None on the left, 'z' on the right"),
        (small(v=[1.0, 2.0, 3.0]), "value of touchpoint 1: nan on the left, 2.0 on the right"),
        (LOG[:2], "touchpoints on the left|columns"),
    ],
)
def test_the_first_difference_is_named(other, message):
    with pytest.raises(AssertionError, match=message):
        assert_journeys_equal(small(), other)


def test_columns_and_kinds_are_compared():
    def table(column, **more):
        columns = {"c": [1], "t": [0], "x": column, **more}
        return cx.Journeys.from_table(
            columns, customer="c", time="t", time_unit="s", columns=[k for k in columns if k > "t"]
        )

    with pytest.raises(AssertionError, match="columns"):
        assert_journeys_equal(table(["a"]), table(["a"], y=[1]))
    with pytest.raises(AssertionError, match="labels on one side and numbers on the other"):
        assert_journeys_equal(table(["a"]), table([1.5]))
    with pytest.raises(AssertionError, match="x of touchpoint 0: '1' on the left, 1 on the right"):
        assert_journeys_equal(table(["1"]), table([1]))
