"""Maturity models to and from plain data that has the right shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from cxkit.errors import DataError
from cxkit.maturity.model import SCHEMA, MaturityModel
from cxkit.maturity.parts import AnswerScale, Criterion, Dimension, Phase, Stage

__all__ = ["model_data", "read_model"]


def model_data(model: MaturityModel) -> dict[str, Any]:
    """See :meth:`MaturityModel.to_dict`.

    Defaults are left out so that a field added to the format later changes no digest.
    """
    data: dict[str, Any] = {"schema": SCHEMA, "base_stage": model.base_stage}
    for name in ("id", "version", "title", "source", "stage_threshold", "gate_threshold"):
        data[name] = getattr(model, name)
    data["evidence_cap"] = model.evidence_cap
    data["answer_scale"] = model.answer_scale.to_dict()
    data["answer_scales"] = [scale.to_dict() for scale in model.answer_scales]
    data["phases"] = [{"id": p.id, "stages": list(p.stages)} for p in model.phases]
    data["stages"] = [_changed(stage) for stage in model.stages]
    data["dimensions"] = [_changed(dimension) for dimension in model.dimensions]
    data["criteria"] = [_changed(criterion) for criterion in model.criteria]
    data["migrates"] = dict(model.migrates)
    return data


def read_model(data: Mapping[str, Any]) -> MaturityModel:
    """A model from data whose shape has been checked.

    Raises:
        DataError: The data carries a digest that is not its own.
    """
    given = {k: v for k, v in data.items() if k not in {"schema", "digest"}}
    if "answer_scale" in given:
        given["answer_scale"] = AnswerScale.from_dict(given["answer_scale"])
    given["answer_scales"] = [AnswerScale.from_dict(s) for s in given.get("answer_scales", [])]
    given["phases"] = [Phase(**p) for p in given.get("phases", [])]
    given["stages"] = [Stage(**s) for s in given["stages"]]
    given["dimensions"] = [d if isinstance(d, str) else Dimension(**d) for d in given["dimensions"]]
    given["criteria"] = [Criterion(**c) for c in given["criteria"]]
    model = MaturityModel(**given)
    if data.get("digest", model.digest) != model.digest:
        raise DataError(
            f"model {model.id!r} {model.version}: the file says digest {data['digest'][:12]}..., "
            f"but its content has {model.digest[:12]}...; it was changed after it was signed off. "
            "Give the changed model a new version, and write its file anew"
        )
    return model


def _changed(part: Any) -> dict[str, Any]:
    """The fields of a part that are not as by default."""
    data: dict[str, Any] = {}
    for field in attrs.fields(type(part)):
        value, default = getattr(part, field.name), field.default
        if (factory := getattr(default, "factory", None)) is not None:
            default = factory()
        if value != default:
            data[field.name] = list(value) if isinstance(value, tuple) else value
    return data
