"""Plain data against a JSON schema, with the path of what is wrong inside the file.

Only the words of JSON Schema that the schemas of this project use are known; a schema that uses
another is refused, so that nothing is taken for checked that was not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from cxkit.errors import DataError, did_you_mean

__all__ = ["check_shape"]

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda x: isinstance(x, Mapping),
    "array": lambda x: isinstance(x, list),
    "string": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "number": lambda x: (
        isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)
    ),
    "null": lambda x: x is None,
}
_KNOWN: Final = frozenset(
    {
        *("$schema", "$id", "$defs", "$ref", "title", "type", "properties", "required", "items"),
        *("enum", "additionalProperties", "const", "minimum", "maximum", "exclusiveMinimum"),
        *("minItems", "minLength", "pattern"),
    }
)


def check_shape(data: Any, schema: Mapping[str, Any], what: str) -> None:
    """Refuse data that does not have the shape that a schema asks for.

    Args:
        data: The data.
        schema: A JSON schema.
        what: What the data is to be, for the error.

    Raises:
        DataError: Something in it is wrong; the error says where, as ``criteria[3].weight``.

    Example:
        >>> schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
        >>> check_shape({"a": 1}, schema, "example")
    """
    _check(data, schema, schema, "", what)


def _check(
    data: Any, schema: Mapping[str, Any], root: Mapping[str, Any], at: str, what: str
) -> None:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        _check(data, root["$defs"][name], root, at, what)
        return
    if unknown := set(schema) - _KNOWN:
        raise NotImplementedError(f"the schema uses {sorted(unknown)}")

    def wrong(found: str, expected: str) -> DataError:
        return DataError(f"{what}: {at or 'the whole'}: found {found}, expected {expected}")

    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_TYPES[kind](data) for kind in kinds):
            raise wrong(_show(data), " or ".join(map(_a, kinds)))
    if "const" in schema and data != schema["const"]:
        raise wrong(_show(data), repr(schema["const"]))
    if "enum" in schema and data not in schema["enum"]:
        hint = did_you_mean(str(data), [str(x) for x in schema["enum"]])
        raise wrong(_show(data), f"one of {schema['enum']}.{hint}".rstrip("."))
    _check_size(data, schema, wrong)
    if isinstance(data, Mapping):
        _check_object(data, schema, root, at, what)
    elif isinstance(data, list) and "items" in schema:
        for place, item in enumerate(data):
            _check(item, schema["items"], root, f"{at}[{place}]", what)


def _check_size(
    data: Any, schema: Mapping[str, Any], wrong: Callable[[str, str], DataError]
) -> None:
    number = _TYPES["number"](data)
    if number and data < schema.get("minimum", -math.inf):
        raise wrong(_show(data), f"{schema['minimum']} or more")
    if number and data > schema.get("maximum", math.inf):
        raise wrong(_show(data), f"{schema['maximum']} or less")
    if number and data <= schema.get("exclusiveMinimum", -math.inf):
        raise wrong(_show(data), f"more than {schema['exclusiveMinimum']}")
    if isinstance(data, list) and len(data) < schema.get("minItems", 0):
        raise wrong(f"{len(data)} items", f"at least {schema['minItems']}")
    if isinstance(data, str):
        if len(data) < schema.get("minLength", 0):
            raise wrong("an empty text", "some text")
        if "pattern" in schema and not re.search(schema["pattern"], data):
            raise wrong(_show(data), f"a text like {schema['pattern']}")


def _check_object(
    data: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], at: str, what: str
) -> None:
    properties: Mapping[str, Any] = schema.get("properties", {})
    where = at or "the whole"
    for name in schema.get("required", ()):
        if name not in data:
            raise DataError(
                f"{what}: {where}: the field {name!r} is missing; found {sorted(map(str, data))}"
            )
    more = schema.get("additionalProperties", True)
    for name, value in data.items():
        if name in properties:
            _check(value, properties[name], root, f"{at}.{name}" if at else str(name), what)
        elif more is False:
            hint = did_you_mean(str(name), list(properties))
            raise DataError(
                f"{what}: {where}: unknown field {name!r}; there are {sorted(properties)}.{hint}"
            )
        elif isinstance(more, Mapping):
            _check(value, more, root, f"{at}[{name!r}]", what)


def _a(kind: str) -> str:
    if kind == "null":
        return "null"
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _show(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."  # a line's worth
