"""Which files are meant by a folder, a pattern or a list, and in which order they are read."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

from cxkit.errors import DataError

__all__ = ["Paths", "find_files", "in_folder", "short_names"]

Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""A file, a folder, a pattern such as ``"logs/2024-*.parquet"``, or several of these."""

_PATTERN: Final = "*?["


def find_files(source: Paths) -> list[Path]:
    """The Parquet files of a folder, or any files of a pattern or a list, in the order of names.

    Raises:
        DataError: There is none.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [file for each in source for file in find_files(each)]
    text = os.fspath(source)
    path = Path(text)
    if path.is_dir():
        found = in_folder(path, "*.parquet")
        if not found:
            raise DataError(f"no Parquet file (*.parquet) in the folder {text!r}")
        return found
    if any(sign in text for sign in _PATTERN) and not path.exists():
        found = [Path(name) for name in glob.glob(text, recursive=True)]  # noqa: PTH207  # absolute patterns too
        if not found:
            raise DataError(f"no file matches {text!r}")
        return sorted(found, key=_natural)
    return [path]


def in_folder(folder: Path, pattern: str = "*") -> list[Path]:
    """The files of a folder and the folders within, in the order of their names.

    ``part-2`` comes before ``part-10``. What begins with ``_`` or ``.`` is left out, which other
    tools leave as marks.
    """
    found = [
        path
        for path in folder.rglob(pattern)
        if path.is_file()
        and not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    ]
    return sorted(found, key=_natural)


def short_names(paths: Iterable[Path]) -> list[str]:
    """What to call files in errors: short, but told apart.

    Example:
        >>> short_names([Path("/logs/a/x.csv"), Path("/logs/b/x.csv")])
        ['a/x.csv', 'b/x.csv']
    """
    whole = [path.absolute() for path in paths]
    top = os.path.commonpath([path.parent for path in whole]) if whole else ""
    return [path.relative_to(top).as_posix() for path in whole]


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A key by which part-2 comes before part-10."""
    parts = re.split(r"(\d+)", path.as_posix())
    return [(1, int(p), p) if p.isdecimal() and p.isascii() else (0, 0, p) for p in parts]
