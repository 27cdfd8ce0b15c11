"""The errors that cxkit raises.

Every error is also the builtin that a user would catch without knowing cxkit::

    Exception
     └── CxError
          ├── SchemaError        (ValueError)   a table lacks a column, or one is of the wrong kind
          ├── DataError          (ValueError)   rows hold values that cannot be used
          ├── DefinitionError    (ValueError)   a rule, a funnel, a model contradicts itself
          ├── UnknownLabelError  (LookupError)  a label that the data does not have
          ├── MergeError         (ValueError)   two summaries that do not belong together
          └── MissingExtraError  (ImportError)  an optional library is not installed

    UserWarning
     └── CxWarning               the answer is right, but perhaps to another question

Messages are lower case and say what was wrong, what is there and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CxError",
    "CxWarning",
    "DataError",
    "DefinitionError",
    "MergeError",
    "MissingExtraError",
    "SchemaError",
    "UnknownLabelError",
    "did_you_mean",
]


class CxError(Exception):
    """The base of every error that cxkit raises on purpose."""


class SchemaError(CxError, ValueError):
    """A table lacks a column, or a column is of a kind that cannot be used."""


class DataError(CxError, ValueError):
    """Rows hold values that cannot be used."""


class DefinitionError(CxError, ValueError):
    """A definition (a rule, a funnel, a model) or an argument contradicts itself."""


class UnknownLabelError(CxError, LookupError):
    """A label that the data does not have."""


class MergeError(CxError, ValueError):
    """Two summaries or stores that do not belong together."""


class MissingExtraError(CxError, ImportError):
    """An optional library is not installed."""

    @classmethod
    def of(cls, library: str, extra: str, purpose: str) -> MissingExtraError:
        """Name the library, the extra that brings it, and what it is needed for.

        Example:
            >>> print(MissingExtraError.of("pyarrow", "arrow", "reading Parquet"))
            reading Parquet needs pyarrow, which is not installed; pip install "cxkit[arrow]"
        """
        return cls(
            f'{purpose} needs {library}, which is not installed; pip install "cxkit[{extra}]"'
        )


class CxWarning(UserWarning):
    """The answer is right, but perhaps to another question than the one meant."""


def did_you_mean(name: object, candidates: Iterable[object]) -> str:
    """The hint that ends an error about an unknown name, or nothing.

    Args:
        name: What was asked for.
        candidates: What is there.

    Returns:
        ``" Did you mean 'x'?"`` with a leading space, or ``""`` if nothing is close.

    Example:
        >>> did_you_mean("usr", ["user", "time"])
        " Did you mean 'user'?"
        >>> did_you_mean("zzz", ["user", "time"])
        ''
    """
    # A vocabulary can hold a million customers; a hint is not worth a scan of them all.
    texts = [str(c) for _, c in zip(range(2000), candidates, strict=False)]
    by_fold = {t.casefold(): t for t in texts}
    close = difflib.get_close_matches(str(name).casefold(), list(by_fold), n=1, cutoff=0.6)
    return f" Did you mean {by_fold[close[0]]!r}?" if close else ""
