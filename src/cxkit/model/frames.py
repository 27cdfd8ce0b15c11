"""Columns of pandas and Polars, importing neither before it is there.

Text goes out as codes and distinct texts, which these libraries find at the speed of C.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.model import columns
from cxkit.model.columns import Column

__all__ = ["from_pandas", "from_polars"]

_MANY: Final = 50_000
_SAMPLE: Final = 16_384


def from_pandas(name: str, series: Any) -> Column:  # noqa: PLR0911  # one per kind of dtype
    """A column from a pandas Series (or Index), of numpy, nullable, Arrow or categorical dtype."""
    dtype = series.dtype
    shown, family = str(dtype), type(dtype).__name__
    if family == "CategoricalDtype":
        array = series.array if hasattr(series, "array") else series
        inner = from_pandas(name, array.categories.to_series())
        return inner.take(np.asarray(array.codes).astype(np.int64), f"category of {inner.dtype}")
    if family == "ArrowDtype":
        import pyarrow as pa  # pandas could not have made the column without it

        from cxkit.model.arrow import from_arrow

        return from_arrow(name, pa.array(series))
    if family == "StringDtype":
        if dtype.storage == "pyarrow" and hasattr(series, "array"):
            import pyarrow as pa  # which holds the text

            from cxkit.model.arrow import from_arrow

            return attrs.evolve(from_arrow(name, pa.array(series.array)), dtype=shown)
        return _factorized(name, shown, series)
    if family == "DatetimeTZDtype":
        return columns.from_array(name, series.to_numpy(dtype=f"M8[{dtype.unit}]")).as_utc(shown)
    if family == "SparseDtype":
        return columns.from_array(name, np.asarray(series))
    if isinstance(dtype, np.dtype):
        values = series.to_numpy()
        if dtype.kind == "O" and _all_text(series):
            return _factorized(name, "object (text)", series)
        return columns.from_array(name, values)
    if getattr(dtype, "kind", "") in "iufb" and hasattr(dtype, "numpy_dtype"):
        null = np.asarray(series.isna())
        values = series.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        column = columns.from_array(name, values)
        # A nullable float can hold NaN beside NA: both are missing.
        return attrs.evolve(column, dtype=shown, null=null if null.any() else None)
    return Column(name, "other", shown, series)


def _all_text(series: Any) -> bool:
    from pandas.api.types import infer_dtype

    return bool(infer_dtype(series, skipna=True) == "string")


def _factorized(name: str, dtype: str, series: Any) -> Column:
    codes, labels = series.factorize()
    null = codes < 0
    texts = [str(label) for label in labels.tolist()]
    return Column(name, "text", dtype, texts, null if null.any() else None, codes)


def from_polars(name: str, series: Any) -> Column:  # noqa: PLR0911  # one per kind of dtype
    """A column from a Polars Series."""
    dtype = series.dtype
    shown, family = str(dtype), dtype.base_type().__name__
    null = series.is_null().to_numpy() if series.null_count() else None
    if family in {"String", "Categorical", "Enum"}:
        if family == "String":
            import polars as pl  # the series is its own

            if _many_distinct(series) and find_spec("pyarrow") is not None:
                from cxkit.model.arrow import from_arrow

                return attrs.evolve(from_arrow(name, series.to_arrow()), dtype=shown)
            series = series.cast(pl.Categorical)
        return _polars_text(name, shown, series, null)
    if family == "Null":
        return Column(name, "empty", shown, series, np.ones(len(series), dtype=bool))
    if family == "Object":
        return columns.from_objects(name, series.to_list(), dtype=shown)
    if family == "Boolean":
        values = series.fill_null(value=False).to_numpy()
        return Column(name, "truth", shown, values, null)
    if family == "Decimal":
        import polars as pl

        values = series.cast(pl.Float64).fill_null(0.0).to_numpy()
        return Column(name, "decimal", shown, values, null)
    if dtype.is_integer():
        if family in {"Int128", "UInt128"}:
            return columns.from_objects(name, series.to_list(), dtype=shown)
        return Column(name, "whole", shown, series.fill_null(0).to_numpy(), null)
    if dtype.is_float():
        values = series.fill_null(0.0).to_numpy().astype(np.float64, copy=False)
        return Column(name, "decimal", shown, values, null)
    if family in {"Datetime", "Date"}:
        unit = "D" if family == "Date" else dtype.time_unit
        raw = series.to_physical().fill_null(0).to_numpy().astype(np.int64)
        aware = family == "Datetime" and dtype.time_zone is not None
        return Column(name, "instant", shown, raw.view(f"M8[{unit}]"), null, aware=aware)
    return Column(name, "other", shown, series.to_list(), null)


def _many_distinct(series: Any) -> bool:
    """Whether a sample is mostly of different texts, whose bytes are faster than categories."""
    sample = series.gather_every(max(len(series) // _SAMPLE, 1))
    return len(series) >= _MANY and bool(sample.n_unique() > len(sample) / 4)


def _polars_text(name: str, dtype: str, series: Any, null: NDArray[np.bool_] | None) -> Column:
    # Categories are shared by the whole process, so only those that this column uses are fetched.
    used = series.drop_nulls().unique()
    physical = used.to_physical().to_numpy()
    texts = used.cast(_string_type()).to_list()
    position = np.zeros(int(physical.max(initial=0)) + 1, np.int64)
    position[physical] = np.arange(len(physical))
    codes = position[series.to_physical().fill_null(physical[0] if len(physical) else 0).to_numpy()]
    return Column(name, "text", dtype, texts, null, codes)


def _string_type() -> Any:
    import polars as pl

    return pl.String
