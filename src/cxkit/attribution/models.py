"""Attribution models: how the credit for a conversion is shared.

A *rule* looks at one converting path and shares its conversion among its touches. The Markov model
looks at all paths, those without conversion too, and asks what would be lost without a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from cxkit.attribution.rule_models import (
    MODEL_SCHEMA,
    FirstTouch,
    LastTouch,
    Linear,
    Model,
    PositionBased,
    RuleModel,
    TimeDecay,
)
from cxkit.core.records import check_fields
from cxkit.errors import DataError, DefinitionError

__all__ = ["DEFAULT_MODELS", "AttributionModel", "Markov", "check_model", "model_from_dict"]


def _check_order(_: object, __: object, value: int) -> None:
    if isinstance(value, bool) or value != 1:
        raise DefinitionError(
            f"order={value!r}: Markov chains exist in order 1 now (the next touch depends on the "
            "present one); write Markov(order=1)"
        )


@attrs.frozen
class Markov(Model):
    """Credit by removal effect: the share of conversions lost if a label led nowhere.

    The paths are read as a Markov chain from START over the labels to CONVERSION or NULL. The
    removal effect of a label is the relative loss of the probability of conversion when every step
    into it leads to NULL instead (Anderl, Becker, von Wangenheim, Schumann 2016, "Mapping the
    customer journey", International Journal of Research in Marketing 33). Credits are removal
    effects divided by their sum. They are exact: one matrix inverse, no simulation.

    Attributes:
        order: How many touches the next one depends on. Only 1 now.

    Raises:
        DefinitionError: Another order.

    Example:
        >>> Markov().name
        'markov'
    """

    kind: ClassVar[str] = "markov"

    order: int = attrs.field(default=1, validator=_check_order)


AttributionModel: TypeAlias = RuleModel | Markov

DEFAULT_MODELS: Final[tuple[AttributionModel, ...]] = (
    FirstTouch(),
    LastTouch(),
    Linear(),
    PositionBased(),
    TimeDecay(),
    Markov(),
)
"""The models that a comparison shows if none are named."""

_KINDS: Final[dict[str, type[AttributionModel]]] = {type(m).kind: type(m) for m in DEFAULT_MODELS}


def model_from_dict(data: Mapping[str, Any]) -> AttributionModel:
    """Read back what a model's ``to_dict`` wrote.

    Raises:
        DataError: The data is of another schema, or of a model that is not known.

    Example:
        >>> model_from_dict(TimeDecay("12h").to_dict())
        TimeDecay(half_life='12h')
    """
    if data.get("schema") != MODEL_SCHEMA or data.get("model") not in _KINDS:
        raise DataError(
            f"not an attribution model: schema is {data.get('schema')!r}, model is "
            f"{data.get('model')!r}; expected {MODEL_SCHEMA!r} and one of {sorted(_KINDS)}"
        )
    kind = _KINDS[data["model"]]
    names = [field.name for field in attrs.fields(kind)]
    check_fields(data, MODEL_SCHEMA, f"{data['model']} model", ["model"], names)
    return kind(**{name: data[name] for name in names if name in data})


def check_model(model: object) -> AttributionModel:
    """The model itself.

    Raises:
        DefinitionError: It is something else, such as its name or its class.
    """
    if isinstance(model, (RuleModel, Markov)):
        return model
    shown = model.__name__ if isinstance(model, type) else repr(model)
    known = ", ".join(f"{cls.__name__}()" for cls in _KINDS.values())
    raise DefinitionError(f"model must be one of {known}; found {shown}")
