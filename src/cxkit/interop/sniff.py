"""What a file is: by its ending, and by its first bytes, which do not lie."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import IO, Any, Final

import attrs

from cxkit.errors import DataError, MissingExtraError, did_you_mean

__all__ = ["PARQUET", "FileKind", "look_at", "open_bytes"]

PARQUET: Final = (".parquet", ".pq")
_ENDINGS: Final = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".psv": "text",
    ".txt": "text",
    **dict.fromkeys(PARQUET, "parquet"),
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json lines",
    ".xes": "xes",
}
_LOGS: Final = {
    ".jsonocel": "ocel json",
    ".json": "ocel json",
    ".xmlocel": "ocel xml",
    ".xml": "ocel xml",
    ".sqlite": "ocel sqlite",
}
_PLAIN: Final = {"parquet": "Parquet", "ocel sqlite": "SQLite"}  # never packed
_COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd"}
_HEAD: Final = 4096

# First bytes, what they betray, and what to do about it.
_MAGIC: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x1f\x8b", "gzip", "give its name the ending .gz"),
    (b"\x28\xb5\x2f\xfd", "zstd", "give its name the ending .zst"),
    (b"PAR1", "parquet", "give its name the ending .parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", "unpack it, or save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "save it as CSV"),
    (b"BZh", "compressed by bzip2", "unpack it, or compress it by gzip"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it, or compress it by gzip"),
    (
        b"ARROW1",
        "an Arrow or Feather file",
        "pyarrow.feather.read_table(path) reads it; ingest that",
    ),
    (b"SQLite format 3", "SQLite", "read_ocel reads logs of objects; export other tables as CSV"),
    (b"%PDF", "a PDF document", "export the table as CSV"),
    (b"ORC", "an ORC file", "pyarrow.orc.read_table(path) reads it; ingest that"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet"),
)


@attrs.frozen
class FileKind:
    """What a file is.

    Attributes:
        path: Where it is.
        kind: ``"text"`` (CSV and its like), ``"parquet"``, ``"json lines"``, ``"xes"``, or for
            logs of objects ``"ocel json"``, ``"ocel xml"`` or ``"ocel sqlite"``.
        ending: Such as ``".csv"``.
        compressed: ``"gzip"``, ``"zstd"`` or nothing.
    """

    path: Path
    kind: str
    ending: str
    compressed: str


def look_at(
    path: str | os.PathLike[str], encoding: str = "utf-8-sig", *, objects: bool = False
) -> FileKind:
    """Find out what a file is, and whether it is what its ending says.

    Args:
        path: The file.
        encoding: How its text is encoded, if it is text.
        objects: Whether it is to be a log of objects (OCEL), which shares the ending ``.json``.

    Raises:
        DataError: There is no such file, it is empty, or it is something else than its ending says.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; give the path of one file")
    known = _LOGS if objects else _ENDINGS
    if not path.exists():
        beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        where = "" if path.parent.is_dir() else f"; there is no folder {str(path.parent)!r} either"
        raise DataError(f"no file {str(path)!r}{where}.{did_you_mean(path.name, beside)}")
    endings = [ending.lower() for ending in path.suffixes]
    compressed = _COMPRESSED.get(endings[-1], "") if endings else ""
    ending = (endings[-2:-1] if compressed else endings[-1:]) or [""]
    kind = known.get(ending[0])
    if kind is None or (kind in _PLAIN and compressed):
        raise DataError(
            f"{path.name!r} does not say by its ending what it is; "
            f"{'read_ocel' if objects else 'read_events'} takes {', '.join(known)}, and all but "
            f"{'SQLite' if objects else 'Parquet'} also as .gz or .zst"
            + ("; read_ocel reads .jsonocel and .xmlocel" if ending[0] in _LOGS else "")
        )
    found = FileKind(path, kind, ending[0], compressed)
    _check_bytes(found, encoding)
    return found


def open_bytes(file: FileKind) -> IO[bytes]:
    """The bytes of a file, unpacked.

    Raises:
        MissingExtraError: It is packed by zstd, and pyarrow is not installed.
    """
    if file.compressed == "gzip":
        return gzip.open(file.path, "rb")  # type: ignore[return-value]  # it reads bytes
    if file.compressed == "zstd":
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingExtraError.of("pyarrow", "arrow", "reading .zst files") from error
        stream: Any = pa.input_stream(str(file.path), compression="zstd")
        return stream  # type: ignore[no-any-return]
    return file.path.open("rb")


def _check_bytes(file: FileKind, encoding: str) -> None:
    try:
        with file.path.open("rb") as raw:
            head = raw.read(_HEAD)
    except OSError as error:
        raise DataError(f"cannot read {str(file.path)!r}: {error.strerror}") from error
    if not head:
        raise DataError(f"{file.path.name!r} is empty: it has no byte")
    if file.compressed:
        if _magic(head) != file.compressed:
            raise DataError(
                f"{file.path.name!r} is no {file.compressed} file, though its ending says so; "
                f"{_seems(head, 'rename it without the last ending')}"
            )
        head = _unpacked_head(file)
        if not head:
            raise DataError(f"{file.path.name!r} is empty: unpacked it has no byte")
    if file.kind in _PLAIN:
        if _magic(head).lower() != _PLAIN[file.kind].lower():
            raise DataError(
                f"{file.path.name!r} is no {_PLAIN[file.kind]}, though its ending says so; "
                f"{_seems(head, 'give it the ending that it deserves')}"
            )
        return
    if file.kind in {"xes", "ocel xml"}:
        _check_xml(file, head)
    else:
        _check_text(file, head, encoding)


def _check_text(file: FileKind, head: bytes, encoding: str) -> None:
    if (what := _magic(head)) or _is_html(head):
        raise DataError(
            f"{file.path.name!r} is no {file.kind}, though its ending says so; {_seems(head, what)}"
        )
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if wide and not encoding.lower().startswith(("utf-16", "utf_16", "utf16", "utf-32", "utf_32")):
        raise DataError(
            f"{file.path.name!r} begins with the byte-order mark of UTF-16; pass encoding='utf-16'"
        )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if file.kind == "text" and start.startswith((b'{"', b'[{"', b"[\n")):
        raise DataError(
            f"{file.path.name!r} holds JSON, though its ending says text; if it has one object per "
            "line, give its name the ending .jsonl"
        )
    if file.kind == "ocel json" and not start.startswith(b"{"):
        raise DataError(
            f"{file.path.name!r} is no JSON object, though its ending says a log of objects; "
            f"{_seems(head, 'give it the ending that it deserves')}"
        )
    if file.kind == "json lines" and start.startswith(b"["):
        raise DataError(
            f"{file.path.name!r} is one JSON array, not JSON lines (one object per line); "
            "json.load it, and hand the list to cx.ingest"
        )


def _check_xml(file: FileKind, head: bytes) -> None:
    plain = head.replace(b"\0", b"")  # UTF-16, which XML knows by itself
    start = plain.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if not start.startswith(b"<") or start.startswith((b"<!doctype html", b"<html")):
        raise DataError(
            f"{file.path.name!r} is no XML, though its ending says so; "
            f"{_seems(head, 'give it the ending that it deserves')}"
        )


def _unpacked_head(file: FileKind) -> bytes:
    try:
        with open_bytes(file) as stream:
            return stream.read(_HEAD)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} is damaged: {error}") from error


def _magic(head: bytes) -> str:
    return next((what for start, what, _ in _MAGIC if head.startswith(start)), "")


def _is_html(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html", b"<?xml"))


def _seems(head: bytes, otherwise: str) -> str:
    for start, what, advice in _MAGIC:
        if head.startswith(start):
            named = what if " " in what else f"a {what} file"
            return f"it seems to be {named}: {advice}"
    if _is_html(head):
        return "it seems to be a web page or XML: perhaps the download asked for a login"
    return f"it begins with {head[:20]!r}: {otherwise}"
