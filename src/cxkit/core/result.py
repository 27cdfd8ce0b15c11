"""How results print and leave.

A result is a small frozen object with named columns. It prints as an aligned table, as HTML in a
notebook, and leaves by :meth:`Result.columns`, :meth:`Result.to_dicts` or, to any library that
speaks Arrow, by ``__arrow_c_stream__``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import rebuild
from cxkit.errors import MissingExtraError

__all__ = ["ColumnLike", "Result", "show_amount", "show_label", "show_number"]

ColumnLike: TypeAlias = "Sequence[Any] | NDArray[Any]"

_ROWS_SHOWN: Final = 20
_THOUSAND: Final = 1000
MISSING: Final = "(missing)"
"""How a missing label is shown; in ``columns()`` it is ``None``."""


class Result:
    """The base of every result; a subclass says what its columns are."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that the copy is read-only too."""
        every: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]  # a subclass is an attrs class
        named = {field.alias or field.name: getattr(self, field.name) for field in every}
        return rebuild, (type(self), named)

    def columns(self) -> Mapping[str, ColumnLike]:
        """The columns by name, all of one length."""
        raise NotImplementedError

    def title(self) -> str:
        """The line above the table; may be empty."""
        return ""

    def notes(self) -> Sequence[str]:
        """Lines below the table: what a reader must know to read it rightly."""
        return ()

    def __len__(self) -> int:
        """The number of rows."""
        return next((len(column) for column in self.columns().values()), 0)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per row, of plain Python values."""
        columns = {name: _plain(column) for name, column in self.columns().items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def __repr__(self) -> str:
        """The title, an aligned table of the first rows, and the notes."""
        names, rows, right = _cells(self.columns())
        widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)] if names else []
        lines = [title] if (title := self.title()) else []
        for row in [names, *rows] if names else []:
            cells = [
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(row, widths, right, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
        if (hidden := len(self) - len(rows)) > 0:
            lines.append(f"... {hidden:,} more rows")
        return "\n".join([*lines, *self.notes()])

    def _repr_html_(self) -> str:
        """The same as an HTML table, every label escaped."""
        import html  # brings every named character along, for the few who print in a notebook

        names, rows, right = _cells(self.columns())
        align = ["right" if number else "left" for number in right]

        def line(cells: Sequence[str], tag: str) -> str:
            return "".join(
                f'<{tag} style="text-align:{side}">{html.escape(cell)}</{tag}>'
                for cell, side in zip(cells, align, strict=True)
            )

        body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
        caption = f"<caption>{html.escape(self.title())}</caption>" if self.title() else ""
        hidden = len(self) - len(rows)
        below = [*([f"... {hidden:,} more rows"] if hidden > 0 else []), *self.notes()]
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in below)
        return (
            f"<table>{caption}<thead><tr>{line(names, 'th')}</tr></thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand the columns to any library that reads Arrow; needs ``cxkit[arrow]``."""
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingExtraError.of("pyarrow", "arrow", "handing a result to Arrow") from error
        # Labels may be text in one row and missing in another, never text and numbers: Vocabulary.
        table = pa.table({name: pa.array(_plain(c)) for name, c in self.columns().items()})
        return table.__arrow_c_stream__(requested_schema)


def show_label(label: object) -> str:
    """A label as it is printed: on one line, with what cannot be seen made visible.

    Example:
        >>> show_label(None), show_label("web"), len(show_label(chr(10)))
        ('(missing)', 'web', 2)
    """
    if label is None:
        return MISSING
    text = str(label)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def show_number(value: float, decimals: int = 3) -> str:
    """A number as it is printed: thousands apart, NaN as a dash.

    Example:
        >>> show_number(1234.5, 1), show_number(float("nan"))
        ('1,234.5', '-')
    """
    if value != value:  # noqa: PLR0124  # NaN, and nothing else, differs from itself
        return "-"
    return f"{value:,.{decimals}f}"


def show_amount(value: float) -> str:
    """A cost, a target or another number of any size as it is printed: never with an exponent.

    Example:
        >>> show_amount(1_250_000), show_amount(0.1 + 0.2), show_amount(0.00025)
        ('1,250,000', '0.3', '0.00025')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    # Six digits are enough to tell amounts apart; cents are kept of large ones too.
    decimals = max(5 - math.floor(math.log10(abs(value))), 2)
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def _plain(column: ColumnLike) -> list[Any]:
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return column.astype("datetime64[us]").tolist()  # type: ignore[no-any-return]
        return column.tolist()  # type: ignore[no-any-return]
    return list(column)


def _cells(columns: Mapping[str, ColumnLike]) -> tuple[list[str], list[list[str]], list[bool]]:
    """Names, the first rows as text, and which columns are numbers (set to the right)."""
    shown, right = [], []
    for column in columns.values():
        values = _plain(column[:_ROWS_SHOWN])
        number = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        right.append(number and bool(values))
        shown.append(_format(values) if number else [show_label(v) for v in values])
    return list(columns), [list(row) for row in zip(*shown, strict=True)], right


def _format(values: list[float]) -> list[str]:
    if all(isinstance(v, int) for v in values):
        return [f"{v:,}" for v in values]
    largest = max((abs(v) for v in values if v == v), default=0.0)  # noqa: PLR0124
    decimals = 1 if largest >= _THOUSAND else 3 if largest >= 1 else 4
    return [show_number(v, decimals) for v in values]
