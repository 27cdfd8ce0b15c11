"""What real logs hold and examples do not: every verb has an answer, without a warning."""

import numpy as np
import pytest

from cxkit import DefinitionError, Journeys, flow
from cxkit.core.codes import Codes


def of(words, times=None):
    size = [len(word) for word in words]
    return Journeys.from_codes(
        customer=np.repeat(np.arange(len(words)), size),
        time=np.arange(sum(size)) if times is None else times,
        columns={"event": Codes.of([label for word in words for label in word])},
    )


def many_labels():
    rng = np.random.default_rng(0)
    return of([[f"l{i}" for i in rng.integers(0, 600, 5)] + ["buy"] for _ in range(100)])


LOGS = {
    "all convert": lambda: of([["a", "buy"]] * 40),
    "one label": lambda: of([["a"] * 3] * 20),
    "one touch each": lambda: of([["buy"]] * 20),
    "one journey": lambda: of([["a", "b", "buy"]]),
    "all at one time": lambda: of([["a", "b", "buy"]] * 30, np.zeros(90, np.int64)),
    "many labels": many_labels,
    "a path of 30,000": lambda: of([["a", "b"] * 15_000 + ["buy"], ["a"]]),
    "a state that nobody leaves": lambda: of([["a"] + ["b"] * 50] * 12),
}


@pytest.mark.parametrize("name", LOGS)
def test_every_verb_has_an_answer(name):
    journeys = LOGS[name]()
    goal = "buy" if "buy" in journeys.event.vocabulary else None
    model = flow.next_steps(journeys, goal=goal)
    links = flow.sankey(journeys, steps=2)
    assert links.count[links.step == 0].sum() == len(journeys)
    matrix = flow.step_matrix(journeys, steps=2)
    assert matrix.share.sum(axis=0) == pytest.approx(1)
    assert flow.step_times(journeys).count.sum() == journeys.touchpoints - len(journeys)
    assert flow.entry_exit(journeys).entries.sum() == len(journeys)
    assert model.probabilities(journeys).sum(axis=1) == pytest.approx(1)
    assert flow.held_out(model.contexts).steps == journeys.touchpoints + len(journeys)
    for result in (
        flow.dwell_times(journeys, exact=True),
        flow.contexts(journeys, order=3),
        flow.loops(journeys),
        flow.costly_paths(journeys),
        flow.sequence_patterns(journeys, goal=goal, longest=2),
        flow.sequence_patterns(journeys, goal=goal, gaps=False),
        flow.path_distances(journeys, metric="jaccard", most=20),
        flow.clusters(journeys, 1, metric="weighted-jaccard", most=20),
        flow.difference(flow.StepFlows.of(journeys), flow.StepFlows.of(journeys)),
        model.predict(journeys),
    ):
        assert "nan" not in repr(result).lower().split()
    if goal:
        forecast = model.forecast(journeys)
        assert ((forecast.probability >= 0) & (forecast.probability <= 1)).all()
        assert flow.goal_calibration(model.contexts).count.sum() == journeys.touchpoints
        assert flow.paths_before(journeys, goal).total_journeys > 0


def test_a_path_that_is_too_long_for_an_edit_distance_is_refused_and_says_what_to_do():
    with pytest.raises(DefinitionError, match=r"too long for edit distances .* collapse repeats"):
        flow.clusters(LOGS["a path of 30,000"](), 1)
