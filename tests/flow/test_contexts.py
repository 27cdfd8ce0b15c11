"""Contexts and next steps, against counts and probabilities one by one."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cxkit as cx
from cxkit import DefinitionError, Journeys, UnknownLabelError
from cxkit.flow import Contexts, NextStepModel, contexts, goal_calibration, held_out, next_steps
from cxkit.flow.steps import contextcounts
from tests.examples import some
from tests.strategies import grouped, journeys_of, touchpoint_rows

COLUMN = {"event": 2, "channel": 3, "campaign": 4}
START, END = "(start)", "(end)"
few = settings(max_examples=some(25))


def labels_of(rows, by="event"):
    return [[row[COLUMN[by]] for row in part] for part in grouped(rows).values()]


def history(path, order):
    """The last labels, the start of the journey before them if there is room."""
    return tuple(path[-order:]) if len(path) >= order else (START, *path)


@few
@given(touchpoint_rows(customers=9), st.sampled_from(sorted(COLUMN)), st.integers(1, 4))
def test_contexts_are_those_counted_one_by_one(rows, by, order):
    want = Counter()
    for path in labels_of(rows, by):
        for at in range(1, len(path)):
            want[history(path[:at], order), path[at]] += 1
    leaving = Counter()
    for (context, _), count in want.items():
        leaving[context] += count
    table = contexts(journeys_of(rows), by, order=order)
    shown = {" > ".join("(missing)" if x is None else str(x) for x in c): c for c, _ in want}
    got = table.to_dicts()
    assert {(shown[row["context"]], row["to"]): row["count"] for row in got} == want
    assert [row["count"] for row in got] == sorted(want.values(), reverse=True)
    for row in got:
        assert row["share"] == pytest.approx(row["count"] / leaving[shown[row["context"]]])


@few
@given(touchpoint_rows(customers=9), st.integers(1, 4))
def test_keys_that_do_not_fit_are_packed_anew(rows, order):
    usual = contextcounts._ROOM
    want = Contexts.of(journeys_of(rows), order=order, goal="buy")
    try:
        contextcounts._ROOM = 1 << 9
        assert Contexts.of(journeys_of(rows), order=order, goal="buy") == want
    finally:
        contextcounts._ROOM = usual


@few
@given(touchpoint_rows(customers=9), st.integers(1, 3))
def test_what_leads_to_a_goal_is_counted_one_by_one(rows, order):
    count, reach, wait = Counter(), Counter(), defaultdict(float)
    for part in grouped(rows).values():
        for at, row in enumerate(part):
            gram = tuple(r[2] for r in part[max(at - order, 0) : at + 1])
            count[gram] += 1
            later = [r[1] - row[1] for r in part[at + 1 :] if r[2] == "buy"]
            if later:
                reach[gram] += 1
                wait[gram] += later[0]
    summary = Contexts.of(journeys_of(rows), order=order, goal="buy")
    names = [*summary.labels, None]
    got = defaultdict(lambda: np.zeros(3))
    for row in range(len(summary)):
        codes = summary.codes[summary.offsets[row] : summary.offsets[row + 1]]
        sums = (summary.count[row], summary.reaching[row], summary.wait[row])
        got[tuple(names[c] for c in codes)] += sums
    assert {g: tuple(v) for g, v in got.items()} == {
        g: (n, reach[g], wait[g]) for g, n in count.items()
    }


def slow_model(paths, order):
    """Witten and Bell's probabilities, by the formula."""
    counts = defaultdict(Counter)
    for path in paths:
        for at, label in enumerate([*path, END]):
            full = history(path[:at], order)
            for size in range(len(full) + 1):
                counts[full[len(full) - size :]][label] += 1
    outcomes = [*sorted({x for path in paths for x in path if x is not None}), END]
    outcomes += [None] * any(None in path for path in paths)

    def probability(label, context):
        if context is None:
            return 1 / len(outcomes)
        shorter = probability(label, context[1:] if context else None)
        seen = counts.get(context)
        if not seen:
            return shorter
        return (seen[label] + len(seen) * shorter) / (sum(seen.values()) + len(seen))

    return outcomes, probability


@few
@given(touchpoint_rows(customers=7, min_rows=1), st.integers(1, 3))
def test_probabilities_are_those_of_the_formula(rows, order):
    journeys = journeys_of(rows)
    model = next_steps(journeys, order=order)
    outcomes, probability = slow_model(labels_of(rows), order)
    found = model.probabilities(journeys)
    assert found.sum(axis=1) == pytest.approx(1)
    for row, path in zip(found, labels_of(rows), strict=True):
        got = dict(zip(model.outcomes, row.tolist(), strict=True))
        for label in outcomes:
            assert got[label] == pytest.approx(probability(label, history(path, order)))
    start = {r["event"]: r["probability"] for r in model.after([], top=99).to_dicts()}
    assert start == pytest.approx({x: probability(x, (START,)) for x in outcomes})


@few
@given(touchpoint_rows(customers=7, min_rows=1), st.integers(1, 3))
def test_chances_of_the_goal_are_those_of_the_formula(rows, order):
    seen = defaultdict(list)
    for part in grouped(rows).values():
        for at, row in enumerate(part):
            later = [(r[1] - row[1]) / 1e6 for r in part[at + 1 :] if r[2] == "buy"]
            full = history([r[2] for r in part[: at + 1]], order)
            for size in range(len(full) + 1):
                seen[full[len(full) - size :]].append(later[0] if later else None)
    journeys = journeys_of(rows)
    model = NextStepModel(Contexts.of(journeys, order=order, goal="buy"))
    got = model.forecast(journeys)
    for at, path in enumerate(labels_of(rows)):
        full = history(path, order)
        chance, wait = 0.5, None
        for size in range(len(full) + 1):
            found = seen[full[len(full) - size :]]
            waits = [x for x in found if x is not None]
            kinds = bool(waits) + (len(waits) < len(found))
            chance = (len(waits) + kinds * chance) / (len(found) + kinds)
            if waits:
                lean = wait is not None
                wait = (sum(waits) + lean * (wait or 0)) / (len(waits) + lean)
        assert got.probability[at] == pytest.approx(chance)
        assert got.seconds[at] == pytest.approx(math.nan if wait is None else wait, nan_ok=True)


def test_one_journey_has_the_answer_that_it_has_among_many():
    journeys = cx.simulate.retail(60, rng=3).journeys
    model = next_steps(journeys, goal="purchase", order=2)
    many = model.probabilities(journeys)
    chances = model.forecast(journeys)
    for at in (0, 7, len(journeys) - 1):
        assert model.probabilities(journeys[at]).tolist() == [many[at].tolist()]
        assert model.forecast(journeys[at]).probability.tolist() == [chances.probability[at]]
    table = model.predict(journeys[:2], top=2)
    assert [row["customer"] for row in table.to_dicts()] == [
        label for label in journeys[:2].customer.to_list() for _ in range(2)
    ]
    assert table.probability[0] == many[0].max()


def test_a_label_that_was_never_seen_ends_the_context():
    model = next_steps(
        journeys_of([("a", 0, "view", None, None, 0.0), ("a", 1, "buy", None, None, 0.0)])
    )
    known, unknown = (model.after(path).to_dicts() for path in ([], ["what"]))
    assert sum(row["probability"] for row in unknown) == pytest.approx(1)
    assert known != unknown  # the start of a journey is a context, an unknown label is none


def test_temperature_flattens_or_sharpens():
    counts = Contexts.of(cx.simulate.retail(60, rng=3).journeys, order=1)
    warm, cold = (
        NextStepModel(counts, temperature).after(["page_view"]) for temperature in (3, 0.3)
    )
    plain = NextStepModel(counts).after(["page_view"])
    assert warm.probability[0] < plain.probability[0] < cold.probability[0]
    assert warm.probability[0] / warm.probability[1] == pytest.approx(
        (plain.probability[0] / plain.probability[1]) ** (1 / 3)
    )
    for bad in (0, -1, math.nan, math.inf):
        with pytest.raises(DefinitionError, match="temperature must be a number above 0"):
            NextStepModel(counts, bad)


def slow_held_out(journeys, order, folds):
    """Log loss and Brier score, each fold predicted from journeys of the others."""
    loss, brier, steps = 0.0, 0.0, 0
    for fold in range(folds):
        train, test = (
            journeys[journeys.shards % folds != fold],
            journeys[journeys.shards % folds == fold],
        )
        paths = [[t.event for t in j] for j in train]
        everything = {t.event for j in journeys for t in j}
        outcomes = [*sorted(everything), END]
        _, probability = slow_model(paths, order)
        scale = len({x for p in paths for x in p} | {END}) == len(outcomes)
        assert scale, "the test data must hold every label in every fold"
        for journey in test:
            path = [t.event for t in journey]
            for at, label in enumerate([*path, END]):
                chances = [probability(x, history(path[:at], order)) for x in outcomes]
                loss -= math.log(chances[outcomes.index(label)])
                brier += sum(
                    (c - (x == label)) ** 2 for c, x in zip(chances, outcomes, strict=True)
                )
                steps += 1
    return loss / steps, brier / steps, steps


def test_held_out_scores_are_those_of_models_made_without_the_fold():
    rng = np.random.default_rng(2)
    rows = [
        (f"c{rng.integers(60)}", at, str(rng.choice(["a", "b", "c"])), None, None, 0.0)
        for at in range(400)
    ]
    journeys = journeys_of(rows)
    found = held_out(Contexts.of(journeys, order=2), folds=3)
    loss, brier, steps = slow_held_out(journeys, 2, 3)
    assert found.log_loss[2] == pytest.approx(loss)
    assert found.brier[2] == pytest.approx(brier)
    assert found.steps == steps
    assert found.calibration.count.sum() == steps * 4  # three labels and the end
    expected = found.calibration.observed * found.calibration.count
    assert expected.sum() == pytest.approx(steps)
    assert (found.log_loss_low <= found.log_loss).all()


def chain(customers, rng, order):
    """Journeys whose next label depends on the last one, or on the last two."""
    codes, customer = [], []
    for c in range(customers):
        a, b = 0, 0
        for _ in range(rng.geometric(0.1)):
            base = b if order == 1 else (a + b) % 3
            a, b = b, int(rng.choice(3, p=np.roll([0.8, 0.1, 0.1], base)))
            codes.append(b)
            customer.append(c)
    return Journeys.from_codes(
        customer=np.array(customer),
        time=np.arange(len(codes)),
        columns={"event": cx.core.codes.Codes.of(np.array(codes))},
    )


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_the_truth_is_found_and_its_chances_are_calibrated(order):
    journeys = chain(800, np.random.default_rng(order), order)
    found = held_out(Contexts.of(journeys, order=4))
    assert found.best_order == order
    assert found.temperature[4] > 1.03  # too long a context is too sure of itself
    assert found.temperature[order] == pytest.approx(1, abs=0.02)
    assert found.calibration.error < 0.015
    assert found.cooled.error < 0.015
    counts = Contexts.of(journeys, order=4)
    model = found.model(counts)
    assert model.depth == order
    plain = NextStepModel(Contexts.of(journeys, order=order), model.temperature)
    assert model.probabilities(journeys) == pytest.approx(plain.probabilities(journeys))


def test_chances_of_the_goal_are_calibrated():
    journeys = cx.simulate.retail(1500, rng=5).journeys
    table = goal_calibration(Contexts.of(journeys, order=2, goal="purchase"))
    assert table.count.sum() == journeys.touchpoints
    assert table.error < 0.03
    with pytest.raises(DefinitionError, match="have no goal"):
        goal_calibration(Contexts.of(journeys, order=1))


def test_bad_questions_are_refused():
    journeys = journeys_of([("a", 0, "view", None, None, 0.0)])
    for order in (0, 33, 1.5, True, "2"):
        with pytest.raises(DefinitionError, match="order must be a whole number from 1 to 32"):
            contexts(journeys, order=order)
    for folds in (1, 65, 2.5):
        with pytest.raises(DefinitionError, match="folds must be a whole number from 2 to 64"):
            held_out(Contexts.of(journeys), folds=folds)
    with pytest.raises(UnknownLabelError, match="no event 'bye'"):
        next_steps(journeys, goal="bye")
    with pytest.raises(DefinitionError, match="have no goal"):
        next_steps(journeys).forecast(journeys)
    with pytest.raises(DefinitionError, match="top must be"):
        next_steps(journeys).predict(journeys, top=0)


def test_nothing_to_count():
    model = next_steps(Journeys.empty())
    assert model.after([]).to_dicts() == [{"event": END, "probability": 1.0}]
    assert len(model.predict(Journeys.empty())) == 0
    assert (
        len(NextStepModel(Contexts.of(Journeys.empty(), goal="buy")).forecast(Journeys.empty()))
        == 0
    )
    found = held_out(Contexts.of(Journeys.empty()))
    assert found.steps == 0
    assert np.isnan(found.log_loss).all()
    assert repr(contexts(Journeys.empty()))


def test_a_goal_that_is_never_reached_and_one_that_always_is():
    rows = [
        (f"c{i}", at, label, None, None, 0.0)
        for i in range(30)
        for at, label in enumerate(["view", "buy"])
    ]
    journeys = journeys_of(rows)
    never = NextStepModel(Contexts.of(journeys, goal="refund")).forecast(journeys)
    assert (never.probability < 0.05).all()
    assert np.isnan(never.seconds).all()
    assert "the goal never came" in repr(never)
    begun = journeys.where(journeys.event.equals("view"))
    always = NextStepModel(Contexts.of(journeys, goal="buy")).forecast(begun)
    assert (always.probability > 0.95).all()
    assert always.seconds == pytest.approx(1e-6)
