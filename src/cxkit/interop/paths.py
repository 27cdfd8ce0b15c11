"""Which files are meant by a folder, a pattern or a list, and in which order they are read."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

from cxkit.errors import DataError
from cxkit.interop.sniff import PARQUET, FileKind, look_at

__all__ = ["Paths", "files_of", "find_files", "short_names"]

Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"
"""A file, a folder, a pattern such as ``"logs/2024-*.parquet"``, or several of these."""

_PATTERN: Final = "*?["


def find_files(source: Paths) -> list[Path]:
    """The Parquet files of a folder, or any files of a pattern or a list, in the order of names.

    Raises:
        DataError: There is none, or a folder holds files that are not Parquet.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [file for each in source for file in find_files(each)]
    text = os.fspath(source)
    path = Path(text)
    if path.is_dir():
        return _parquet_in(path)
    if any(sign in text for sign in _PATTERN) and not path.exists():
        found = [Path(name) for name in glob.glob(text, recursive=True)]  # noqa: PTH207  # absolute patterns too
        if not found:
            raise DataError(f"no file matches {text!r}")
        return sorted(found, key=_natural)
    return [path]


def files_of(folder: Path, encoding: str) -> list[FileKind]:
    """The files of a folder, all of one kind, in the order of their names.

    Files without a byte are not among them.

    Raises:
        DataError: There is none, or they are of several kinds.
    """
    paths = [found for found in _in_folder(folder) if found.stat().st_size]
    if not paths:
        raise DataError(f"folder {str(folder)!r} holds no file with data")
    files = [look_at(found, encoding) for found in paths]
    odd = next((file for file in files if file.kind != files[0].kind), None)
    if odd is not None:
        raise DataError(
            f"folder {str(folder)!r} holds files of several kinds: {files[0].path.name!r} is "
            f"{files[0].kind}, {odd.path.name!r} is {odd.kind}; read them apart"
        )
    return files


def _parquet_in(folder: Path) -> list[Path]:
    """What :func:`files_of` finds, so that a fold reads no fewer files than read_events.

    Only of Parquet without a byte it says so: such a file never was whole.
    """
    for path in _in_folder(folder):
        if path.suffix.lower() in PARQUET and not path.stat().st_size:
            look_at(path)
    files = files_of(folder, "utf-8")
    if files[0].kind != "parquet":
        raise DataError(
            f"no Parquet file in the folder {str(folder)!r}: {files[0].path.name!r} is "
            f"{files[0].kind}; a fold takes a folder of Parquet"
        )
    return [file.path for file in files]


def _in_folder(folder: Path) -> list[Path]:
    """The files of a folder and the folders within, in the order of their names.

    ``part-2`` comes before ``part-10``. What begins with ``_`` or ``.`` is left out, which other
    tools leave as marks.
    """
    found = [
        path
        for path in folder.rglob("*")
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
