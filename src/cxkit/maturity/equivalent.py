"""Equivalent staging: from capability levels of areas to one maturity level."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxkit.errors import DataError
from cxkit.maturity.model import MaturityModel

__all__ = ["equivalent_stage"]


def equivalent_stage(
    model: MaturityModel, capability: Mapping[str, ArrayLike]
) -> NDArray[np.int64]:
    """The highest stage all of whose targets, and those of the stages below, are reached.

    As CMMI's equivalent staging: each stage names the capability level that it takes of each area
    (``Stage.targets``). A stage without targets takes nothing.

    Args:
        model: A model whose stages have targets.
        capability: dimension -> (N,) or one capability level; a dimension that is left out has
            none, and fails every target on it.

    Returns:
        (N,) stages.

    Raises:
        DataError: No stage has a target, a dimension is unknown, or there are not as many levels of
            each.

    Example:
        >>> from cxkit.maturity import Criterion, Stage
        >>> model = MaturityModel(
        ...     id="m",
        ...     version="1.0.0",
        ...     dimensions=["plan", "test"],
        ...     stages=[
        ...         Stage(1, "a"),
        ...         Stage(2, "b", targets={"plan": 2}),
        ...         Stage(3, "c", targets={"plan": 3, "test": 3}),
        ...     ],
        ...     criteria=[Criterion("x", 2, "plan"), Criterion("y", 3, "test")],
        ... )
        >>> equivalent_stage(model, {"plan": [1, 2, 3], "test": [3, 3, 3]}).tolist()
        [1, 2, 3]
    """
    known = [dimension.id for dimension in model.dimensions]
    for name in capability:
        if name not in known:
            raise DataError(f"model {model.id!r} has no dimension {name!r}; there are {known}")
    if not any(stage.targets for stage in model.stages):
        raise DataError(f"no stage of model {model.id!r} has targets, so nothing is equivalent")
    levels = {name: np.atleast_1d(np.asarray(value)) for name, value in capability.items()}
    size = max((len(value) for value in levels.values()), default=1)
    for name, value in levels.items():
        if value.ndim != 1 or len(value) not in {1, size}:
            raise DataError(
                f"{size} levels of one dimension, but of {name!r} the shape is {value.shape}; give "
                "as many of each, or one"
            )
    still = np.ones(size, bool)
    found = np.full(size, model.base_stage, np.int64)
    for stage in model.stages[1:]:
        for name, target in stage.targets.items():
            still &= levels[name] >= target if name in levels else False
        found[still] = stage.n
    return found
