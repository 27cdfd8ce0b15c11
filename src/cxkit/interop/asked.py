"""What is asked of a fold: how to count, and which column is what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final, Required, TypeAlias, TypedDict, TypeVar, cast

from cxkit.core.summary import Summary
from cxkit.errors import DefinitionError, did_you_mean
from cxkit.model.ingest import further_columns, ingest
from cxkit.model.journeys import Journeys
from cxkit.model.nulls import null_texts

__all__ = [
    "Counter",
    "Counters",
    "Roles",
    "check_batch_rows",
    "named_counters",
    "roles_of",
    "source_columns",
    "spelled_out",
    "zeros",
]

S = TypeVar("S", bound=Summary)
F = TypeVar("F", bound=Callable[..., Any])

Counter: TypeAlias = type[S] | Callable[[Journeys], S]
"""How to count: a summary, or a function that makes one of journeys."""
Counters: TypeAlias = Counter[S] | Mapping[str, Counter[S]]
"""One way to count, or several by name."""

_NAMED: Final = ("customer", "time", "event", "channel", "value")
_PARTIAL: Final = "functools.partial(cx.flow.Transitions.of, by='channel')"


class Roles(TypedDict, total=False):
    """Which column is what, and how to read it: the arguments of :func:`cxkit.ingest`."""

    customer: Required[str]
    time: Required[str]
    event: str | None
    channel: str | None
    value: str | None
    columns: Iterable[str] | Mapping[str, str]
    tz: str | tzinfo | None
    time_unit: str | None
    time_format: str | None
    null_values: Iterable[str | float]


def roles_of(roles: Mapping[str, Any]) -> dict[str, Any]:
    """The roles, checked and in a form that can be read again and again.

    Raises:
        DefinitionError: ``customer`` or ``time`` is not given, or there is no such role.
    """
    for name in roles:
        if name not in Roles.__annotations__:
            raise DefinitionError(
                f"no role {name!r}; there is {list(Roles.__annotations__)}."
                f"{did_you_mean(name, Roles.__annotations__)} Parameters of a summary go with the "
                f"summary: {_PARTIAL}"
            )
    for name in ("customer", "time"):
        if not isinstance(roles.get(name), str):
            raise DefinitionError(f"{name}= is needed: the name of the column of the {name}")
    return {
        **roles,
        "columns": further_columns(roles.get("columns", ())),
        "null_values": tuple(sorted(null_texts(roles.get("null_values", ())))),
    }


def spelled_out(function: F) -> F:
    """Show the arguments of :func:`cxkit.ingest` in the place of ``**roles``.

    So they are said once, and still found by whoever asks for help or completion.
    """
    own = inspect.signature(function)
    asked = inspect.signature(ingest).parameters
    first = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    at = next((n for n, p in enumerate(first) if p.kind is p.KEYWORD_ONLY), len(first))
    first[at:at] = [asked[name] for name in Roles.__annotations__]
    function.__signature__ = own.replace(parameters=first)  # type: ignore[attr-defined]  # of any function
    return function


def source_columns(roles: Mapping[str, Any]) -> dict[str, str]:
    """The columns of the source that roles read -> the first role of each.

    Example:
        >>> source_columns(roles_of({"customer": "who", "time": "at", "columns": ["at", "page"]}))
        {'who': 'customer', 'at': 'time', 'page': 'columns'}
    """
    found: dict[str, str] = {}
    for role in _NAMED:
        if roles.get(role) is not None:
            found.setdefault(roles[role], role)
    for source in roles["columns"].values():
        found.setdefault(source, "columns")
    return found


def named_counters(summary: Counters[S]) -> dict[str, Callable[[Journeys], S]]:
    """Name -> function that counts journeys; a single one has the name of its summary.

    Raises:
        DefinitionError: Something is neither a summary nor a function, or there is none at all.
    """
    if isinstance(summary, Mapping):
        if not summary:
            raise DefinitionError("there is no summary to fold into; give at least one")
        return {str(name): _counter(given) for name, given in summary.items()}
    counter = _counter(summary)
    (zero,) = zeros({"": counter}).values()
    return {type(zero).__name__: counter}


def _counter(given: Counter[S]) -> Callable[[Journeys], S]:
    if isinstance(given, type) and issubclass(given, Summary):
        return cast("Callable[[Journeys], S]", given.of)
    if isinstance(given, (type, Summary)) or not callable(given):
        what = f"a {type(given).__name__} that is counted" if isinstance(given, Summary) else given
        raise DefinitionError(
            f"cannot count by {what!r}; give a summary such as cx.flow.Transitions, with "
            f"parameters {_PARTIAL}, or several by name"
        )
    return given


def zeros(counters: Mapping[str, Callable[[Journeys], S]]) -> dict[str, S]:
    """Name -> the summary of no journey.

    Raises:
        DefinitionError: A counter needs further arguments, or makes no summary.
    """
    found: dict[str, S] = {}
    for name, counter in counters.items():
        try:
            zero = counter(Journeys.empty())
        except TypeError as error:
            raise DefinitionError(
                f"the summary cannot be counted as it is: {error}; give its parameters with it: "
                f"{_PARTIAL}"
            ) from error
        if not isinstance(zero, Summary):
            raise DefinitionError(f"{counter!r} makes a {type(zero).__name__}, not a Summary")
        found[name] = zero
    return found


def check_batch_rows(given: object) -> int:
    """How many rows are counted at once.

    Raises:
        DefinitionError: It is no whole number above 0.
    """
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise DefinitionError(f"batch_rows must be a whole number above 0; found {given!r}")
    return given
