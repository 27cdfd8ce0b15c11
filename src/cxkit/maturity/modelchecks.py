"""What must hold of a maturity model as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cxkit.errors import DefinitionError, did_you_mean

if TYPE_CHECKING:
    from cxkit.maturity.model import MaturityModel

__all__ = ["check_model", "find_cycle"]


def check_model(model: MaturityModel) -> None:
    """Refuse a model that contradicts itself.

    Raises:
        DefinitionError: The error names the item.
    """
    name = f"model {model.id!r}"
    numbers = [stage.n for stage in model.stages]
    if not all(isinstance(n, int) for n in numbers):
        raise DefinitionError(f"{name}: stages are numbered 1, 2 ...; found {numbers}")
    if len(numbers) < 2 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise DefinitionError(
            f"{name}: stages are at least two, numbered without a gap; found {numbers}"
        )
    if model.base_stage != numbers[0]:
        raise DefinitionError(
            f"{name}: base_stage is the first stage, {numbers[0]}; found {model.base_stage}"
        )
    cap: Any = model.evidence_cap  # whatever was given
    if not isinstance(cap, (int, float)) or not 0 <= cap <= 1:
        raise DefinitionError(f"{name}: evidence_cap is 0 to 1; found {model.evidence_cap!r}")
    _unique(name, "stage", (stage.id for stage in model.stages))
    _unique(name, "dimension", (d.id for d in model.dimensions))
    _unique(name, "criterion", (c.id for c in model.criteria))
    _unique(name, "answer scale", (s.id for s in (model.answer_scale, *model.answer_scales)))
    _check_phases(model, name, numbers)
    _check_dimensions(model, name)
    _check_criteria(model, name, numbers)
    for old, new in model.migrates.items():
        if old in model.positions:
            raise DefinitionError(
                f"{name}: migrates {old!r} to {new!r}, but there is a criterion {old!r} still, so "
                "answers to it would be moved; give one of them another name"
            )
        if new is not None and new not in model.positions:
            raise DefinitionError(f"{name}: migrates {old!r} to {new!r}, which is no criterion")


def find_cycle(before: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A cycle in a graph, first item repeated at its end; ``None`` if there is none.

    Args:
        before: node -> the nodes that it points at.

    Example:
        >>> find_cycle({"a": ["b"], "b": ["c"], "c": ["a"]})
        ['a', 'b', 'c', 'a']
    """
    done: set[str] = set()
    for start in before:
        path: list[str] = []
        walk = [(start, iter(before.get(start, ())))] if start not in done else []
        path.extend(node for node, _ in walk)
        while walk:
            following = next(walk[-1][1], None)
            if following is None:
                done.add(walk.pop()[0])
                path.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                walk.append((following, iter(before.get(following, ()))))
                path.append(following)
    return None


def _unique(name: str, kind: str, ids: Iterable[str]) -> None:
    twice = [item for item, count in Counter(ids).items() if count > 1]
    if twice:
        raise DefinitionError(f"{name}: {kind} {twice[0]!r} occurs more than once")


def _check_phases(model: MaturityModel, name: str, numbers: list[int]) -> None:
    if not model.phases:
        return
    found = sorted(n for phase in model.phases for n in phase.stages)
    if found != numbers:
        raise DefinitionError(
            f"{name}: every stage is in exactly one phase; the phases hold {found}, the stages are "
            f"{numbers}"
        )


def _check_dimensions(model: MaturityModel, name: str) -> None:
    known = [d.id for d in model.dimensions]
    for dimension in model.dimensions:
        if dimension.parent is not None and dimension.parent not in known:
            raise DefinitionError(
                f"{name}: dimension {dimension.id!r} is part of {dimension.parent!r}, which is no "
                f"dimension.{did_you_mean(dimension.parent, known)}"
            )
    cycle = find_cycle({d.id: [d.parent] for d in model.dimensions if d.parent is not None})
    if cycle:
        raise DefinitionError(f"{name}: dimensions contain each other: {' > '.join(cycle)}")
    for stage in model.stages:
        for target in stage.targets:
            if target not in known:
                raise DefinitionError(
                    f"{name}: stage {stage.id!r} has a target for {target!r}, which is no "
                    f"dimension.{did_you_mean(target, known)}"
                )


def _check_criteria(model: MaturityModel, name: str, numbers: list[int]) -> None:
    dimensions = [d.id for d in model.dimensions]
    scales = [s.id for s in (model.answer_scale, *model.answer_scales)]
    for criterion in model.criteria:
        if criterion.stage not in numbers[1:]:
            raise DefinitionError(
                f"{name}: criterion {criterion.id!r} is of stage {criterion.stage}; criteria "
                f"belong to stages {numbers[1]} to {numbers[-1]} (stage {numbers[0]} takes nothing)"
            )
        for kind, value, known in (
            ("dimension", criterion.dimension, dimensions),
            ("answer scale", criterion.scale or model.answer_scale.id, scales),
            *(("criterion", item, list(model.positions)) for item in criterion.requires),
        ):
            if value not in known:
                raise DefinitionError(
                    f"{name}: criterion {criterion.id!r} names {kind} {value!r}, which the model "
                    f"does not have.{did_you_mean(value, known)}"
                )
    empty = set(numbers[1:]) - {c.stage for c in model.criteria}
    if empty:
        raise DefinitionError(
            f"{name}: stage {min(empty)} has no criterion, so everybody would meet it"
        )
    cycle = find_cycle({c.id: c.requires for c in model.criteria})
    if cycle:
        raise DefinitionError(f"{name}: criteria require each other: {' -> '.join(cycle)}")
