"""What every attribution model is: a definition that knows the summary it is answered from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import attrs

from cxkit.core.records import check_fields
from cxkit.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from cxkit.attribution.summaries import AttributionSummary
    from cxkit.attribution.touchpaths.journeypaths import JourneyPaths
    from cxkit.attribution.touchpaths.paths import Paths

__all__ = ["MODEL_SCHEMA", "AttributionModel", "check_model", "known_model", "model_from_dict"]

MODEL_SCHEMA: Final = "cxkit/attribution-model/1"

ModelT = TypeVar("ModelT", bound="type[AttributionModel]")

_KINDS: Final[dict[str, type[AttributionModel]]] = {}


class AttributionModel(attrs.AttrsInstance, ABC):
    """How the credit for a conversion is shared.

    A *rule* looks at one converting path at a time; to make one of your own, derive from
    :class:`~cxkit.attribution.RuleModel`. A model that looks at all paths together, those without
    conversion too, derives from this class: a frozen attrs class with a ``kind``, whose
    :meth:`count` and :meth:`count_paths` give a summary that adds up.

    Class attributes:
        kind: The model's name in tables and in JSON.
        sees_nulls: Whether paths without conversion change its answer.
        conserves: Whether the credits of the labels sum to the conversions.
        signed: Whether a credit can be negative.
    """

    __slots__ = ()

    kind: ClassVar[str]
    sees_nulls: ClassVar[bool] = True
    conserves: ClassVar[bool] = True
    signed: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The model's name in tables: its kind, and those parameters that are not the default."""
        told = [
            f"{f.name}={value}"
            for f in attrs.fields(type(self))
            if (value := getattr(self, f.name)) != f.default
        ]
        return f"{self.kind}({', '.join(told)})" if told else self.kind

    @abstractmethod
    def count(self, found: JourneyPaths) -> AttributionSummary:
        """The summary of journeys that answers this model.

        Args:
            found: The journeys, cut into paths; what several models look at is found once.
        """

    @abstractmethod
    def count_paths(self, paths: Paths) -> AttributionSummary:
        """The same summary from the distinct paths alone.

        Raises:
            DefinitionError: The model needs more than the order of the labels, such as times.
        """

    def to_dict(self) -> dict[str, Any]:
        """The model as plain data for JSON."""
        return {"schema": MODEL_SCHEMA, "model": self.kind, **attrs.asdict(self)}


def known_model(cls: ModelT) -> ModelT:
    """Make a kind of model known to :func:`model_from_dict`; a decorator of the class."""
    _KINDS[cls.kind] = cls
    return cls


def model_from_dict(data: Mapping[str, Any]) -> AttributionModel:
    """Read back what a model's ``to_dict`` wrote.

    Raises:
        DataError: The data is of another schema, or of a model that is not known.

    Example:
        >>> import cxkit as cx
        >>> model_from_dict(cx.attribution.TimeDecay("12h").to_dict())
        TimeDecay(half_life='12h')
    """
    if not isinstance(data, Mapping):
        raise DataError(f"an attribution model is read from what to_dict wrote; found {data!r}")
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
    if isinstance(model, AttributionModel):
        return model
    shown = model.__name__ if isinstance(model, type) else repr(model)
    known = ", ".join(f"{cls.__name__}()" for cls in _KINDS.values())
    raise DefinitionError(f"model must be an attribution model, such as {known}; found {shown}")
