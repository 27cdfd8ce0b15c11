"""The laws of summaries, over all four of this room."""

import pickle

import attrs
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cxkit import DataError, Journeys, MergeError
from cxkit.core.summary import merge_all
from cxkit.flow import DropOff, Funnel, FunnelCounts, PathVariants, Transitions
from tests.examples import some
from tests.strategies import journeys_of, touchpoint_rows

CASES = [
    pytest.param(FunnelCounts, {"funnel": Funnel(["view", "buy"], "20min")}, id="funnel"),
    pytest.param(FunnelCounts, {"funnel": Funnel(["view"], ties="strict")}, id="funnel-of-one"),
    pytest.param(Transitions, {"by": "event"}, id="transitions"),
    pytest.param(Transitions, {"by": "campaign"}, id="transitions-of-numbers"),
    pytest.param(PathVariants, {"by": "channel"}, id="variants"),
    pytest.param(DropOff, {"by": "event"}, id="drop-off"),
    pytest.param(DropOff, {"by": "channel", "goal": "buy"}, id="drop-off-of-a-goal"),
]
ROWS = touchpoint_rows(customers=12)
FEW = settings(max_examples=some(30))  # of each law, for each of the seven cases


def parts_of(journeys, where):
    return journeys[:where], journeys[where:]


def shown(summary):
    return repr(summary.result().columns())


@pytest.mark.parametrize(("kind", "parameters"), CASES)
class TestEverySummary:
    @given(rows=ROWS, where=st.integers(0, 12))
    @FEW
    def test_the_parts_add_up_to_the_whole(self, kind, parameters, rows, where):
        journeys = journeys_of(rows)
        whole = kind.of(journeys, **parameters)
        a, b = (kind.of(part, **parameters) for part in parts_of(journeys, where))
        assert a + b == whole
        assert b + a == whole
        assert shown(a + b) == shown(whole)

    @given(rows=ROWS, where=st.integers(0, 12))
    @FEW
    def test_so_do_parts_that_were_read_apart(self, kind, parameters, rows, where):
        """The parts do not know of the labels of the other."""
        chosen = {f"c{i}" for i in range(where)}
        a = [row for row in rows if row[0] in chosen]
        b = [row for row in rows if row[0] not in chosen]
        both = [kind.of(journeys_of(part), **parameters) for part in (a, b)]
        assert merge_all(both) == kind.of(journeys_of(rows), **parameters)

    @given(rows=ROWS)
    @FEW
    def test_nothing_adds_nothing(self, kind, parameters, rows):
        summary = kind.of(journeys_of(rows), **parameters)
        zero = kind.zero(**parameters)
        assert summary + zero == zero + summary == summary

    @given(rows=ROWS)
    @FEW
    def test_addition_is_associative(self, kind, parameters, rows):
        journeys = journeys_of(rows)
        a, b, c = (
            kind.of(part, **parameters) for part in (journeys[:1], journeys[1:3], journeys[3:])
        )
        assert (a + b) + c == a + (b + c)

    @given(rows=ROWS)
    @FEW
    def test_a_part_is_counted_as_if_it_were_all_there_is(self, kind, parameters, rows):
        """Labels of journeys that were left behind do not show."""
        part = [row for row in rows if row[0] in {"c0", "c3"}]
        journeys = journeys_of(rows)
        keep = np.isin(np.array(journeys.customer.to_list(), dtype=object), ["c0", "c3"])
        taken = kind.of(journeys[keep], **parameters)
        assert taken == kind.of(journeys_of(part), **parameters)

    @given(rows=ROWS)
    @FEW
    def test_bytes_and_pickles_come_back_read_only(self, kind, parameters, rows):
        summary = kind.of(journeys_of(rows), **parameters)
        for copy in (kind.from_bytes(summary.to_bytes()), pickle.loads(pickle.dumps(summary))):
            assert copy == summary
            assert shown(copy) == shown(summary)
            for field in kind.fields("total"):
                assert not getattr(copy, field.name).flags.writeable

    @given(rows=ROWS, order=st.randoms(use_true_random=False))
    @FEW
    def test_the_order_of_input_rows_does_not_matter(self, kind, parameters, rows, order):
        # Rows of one instant keep their order; so here no two of a customer share one.
        rows = list({(row[0], row[1]): row for row in rows}.values())
        mixed = rows.copy()
        order.shuffle(mixed)
        assert kind.of(journeys_of(mixed), **parameters) == kind.of(journeys_of(rows), **parameters)

    @given(rows=ROWS.filter(bool))
    @FEW
    def test_one_journey_counts_as_journeys_of_one(self, kind, parameters, rows):
        journeys = journeys_of(rows)
        assert kind.of(journeys[0], **parameters) == kind.of(journeys[:1], **parameters)
        assert merge_all(kind.of(j, **parameters) for j in journeys) == kind.of(
            journeys, **parameters
        )

    @given(rows=ROWS)
    @FEW
    def test_the_input_stays_as_it_is(self, kind, parameters, rows):
        journeys = journeys_of(rows)
        before = pickle.dumps(journeys)
        kind.of(journeys, **parameters).result()
        assert pickle.dumps(journeys) == before

    def test_other_parameters_do_not_add_up(self, kind, parameters):
        other = {"funnel": Funnel(["mail"])} if "funnel" in parameters else {"by": "other"}
        with pytest.raises(MergeError, match="different"):
            kind.zero(**parameters) + kind.zero(**other)

    def test_other_summaries_do_not_add_up(self, kind, parameters):
        other = Transitions if kind is not Transitions else DropOff
        with pytest.raises(TypeError):
            kind.zero(**parameters) + other.zero(by="event")

    def test_bytes_of_another_summary_are_refused(self, kind, parameters):
        other = Transitions if kind is not Transitions else DropOff
        with pytest.raises(DataError, match="not a"):
            other.from_bytes(kind.zero(**parameters).to_bytes())

    @given(rows=ROWS)
    @FEW
    def test_results_are_read_only_and_survive_pickling(self, kind, parameters, rows):
        result = kind.of(journeys_of(rows), **parameters).result()
        for it in (result, pickle.loads(pickle.dumps(result))):
            assert repr(it.columns()) == repr(result.columns())
            assert repr(it) == repr(result)
            for field in attrs.fields(type(it)):
                value = getattr(it, field.name)
                assert not (isinstance(value, np.ndarray) and value.flags.writeable)

    def test_intervals_are_within_zero_and_one_and_hold_the_share(self, kind, parameters):
        rng = np.random.default_rng(1)
        rows = [
            (f"c{rng.integers(600)}", int(t) * 60_000_000, e, c, int(g), 1.0)
            for t, e, c, g in zip(
                rng.permutation(3000),
                rng.choice(["view", "cart", "buy"], 3000),
                rng.choice(["web", "app"], 3000),
                rng.integers(1, 4, 3000),
                strict=True,
            )
        ]
        result = kind.of(journeys_of(rows), **parameters).result()
        columns = result.columns()
        for name in columns:
            if f"{name}_low" in columns:
                share, low, high = (np.array(columns[name + end]) for end in ("", "_low", "_high"))
                known = np.isfinite(share) & np.isfinite(low)
                assert known.any()
                assert (low[known] >= 0).all()
                assert (low[known] <= share[known]).all()
                assert (share[known] <= high[known]).all()
                assert (high[known] <= 1).all()


@pytest.mark.parametrize(("kind", "parameters"), CASES)
def test_a_customer_in_two_parts_has_two_journeys(kind, parameters):
    row = ("c", 0, "view", "web", 1, 0.0)
    one = journeys_of([row])
    both = Journeys.concat([one, one])
    assert kind.of(both, **parameters) == kind.of(one, **parameters) + kind.of(one, **parameters)


def test_labels_that_are_numbers_in_one_part_and_text_in_another_become_text():
    numbers = Transitions.of(
        journeys_of([("a", t, None, None, 2, 0.0) for t in range(3)]), by="campaign"
    )
    tens = Transitions.of(
        journeys_of([("a", t, None, None, 10, 0.0) for t in range(3)]), by="campaign"
    )
    texts = Transitions.of(
        journeys_of([("b", t, "2", None, None, 0.0) for t in range(3)]), by="event"
    )
    texts = attrs.evolve(texts, by="campaign")
    both = numbers + tens + texts
    assert list(both.labels) == ["10", "2"]
    got = {(row["from"], row["to"]): row["count"] for row in both.result().to_dicts()}
    assert got == {("2", "2"): 4, ("10", "10"): 2}
    assert both == texts + (tens + numbers)
