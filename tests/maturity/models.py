"""Models and answers to test with."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st

from cxkit.maturity import AnswerScale, Criterion, MaturityModel, Stage

QUARTERS = AnswerScale("quarters", {str(v): v for v in (0.0, 0.25, 0.5, 0.75, 1.0)})
THIRDS = AnswerScale("thirds", {"no": 0.0, "partly": 1 / 3, "mostly": 2 / 3, "yes": 1.0})


def small(criteria: list[Criterion], stages: int = 3, **more: Any) -> MaturityModel:
    """A model of a few stages over people and process."""
    return MaturityModel(
        id="small",
        version="1.0.0",
        stages=[Stage(n, f"s{n}") for n in range(1, stages + 1)],
        dimensions=["people", "process"],
        criteria=criteria,
        answer_scale=QUARTERS,
        answer_scales=[THIRDS],
        **more,
    )


@st.composite
def models(draw: st.DrawFn, most: int = 8) -> MaturityModel:
    """Any small model: weights, gates, prerequisites, evidence and thresholds."""
    stages = draw(st.integers(2, 4))
    count = draw(st.integers(stages - 1, most))
    criteria = []
    for i in range(count):
        stage = i + 2 if i < stages - 1 else draw(st.integers(2, stages))
        earlier = [f"c{j}" for j in range(i)]
        criteria.append(
            Criterion(
                f"c{i}",
                stage,
                draw(st.sampled_from(["people", "process"])),
                weight=draw(st.sampled_from([1, 2, 0.5, 1.3])),
                gate=draw(st.booleans()),
                effort=draw(st.sampled_from([1, 2, 3.5])),
                requires=draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))
                if earlier
                else [],
                evidence_required=draw(st.booleans()),
                scale=draw(st.sampled_from([None, "thirds"])),
            )
        )
    return small(criteria, stages, stage_threshold=draw(st.sampled_from([0.5, 0.75, 1.0])))


@st.composite
def answered(draw: st.DrawFn, most: int = 8) -> tuple[MaturityModel, dict[str, Any]]:
    """A model and answers to it: some unknown, none that leaves a stage without a criterion."""
    model = draw(models(most))
    answers: dict[str, Any] = {}
    for criterion in model.criteria:
        steps = model.scale_of(criterion).steps()
        answers[criterion.id] = draw(st.sampled_from([*steps, None, "n/a"]))
    for _, group in itertools.groupby(
        sorted(model.criteria, key=lambda c: c.stage), lambda c: c.stage
    ):
        own = [c.id for c in group]
        if all(answers[name] == "n/a" for name in own):
            answers[own[0]] = 0.0
    return model, answers
