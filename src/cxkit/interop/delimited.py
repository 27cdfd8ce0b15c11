"""CSV and its like, by the standard library, and by pyarrow where both must agree.

pyarrow reads clean files several times faster. Wherever it might see something else than Python's
``csv`` does (ragged rows, stray quotes, bytes that are no text), the file is read by ``csv``, so
the answer never depends on what is installed.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from collections.abc import Collection, Iterator
from itertools import chain, islice
from typing import IO, Any, Final

import attrs

from cxkit.core.progress import ProgressLike, steps
from cxkit.errors import DataError, DefinitionError
from cxkit.interop.sniff import FileKind, open_bytes
from cxkit.model.columns import Column, from_objects
from cxkit.model.tables import Table

__all__ = ["Broken", "read_delimited"]

_DELIMITERS: Final = ",;\t|"
_BY_ENDING: Final = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_ROWS_AT_ONCE: Final = 65_536
# A last line that no file has; if it does not come out alone, a quote was open when the file ended.
_END: Final = "\x00\x01\x00"
_LONGEST_FIELD: Final = 131_072  # of Python's csv


@attrs.define
class Broken:
    """Rows that are no rows of the table: their numbers, their text, and why."""

    rows: list[int] = attrs.field(factory=list)
    found: list[str] = attrs.field(factory=list)
    reasons: list[str] = attrs.field(factory=list)

    def add(self, row: int, found: str, reason: str) -> None:
        """One more."""
        self.rows.append(row)
        self.found.append(found)
        self.reasons.append(reason)


def read_delimited(
    file: FileKind,
    *,
    delimiter: str | None,
    encoding: str,
    wanted: Collection[str] | None,
    progress: ProgressLike,
) -> tuple[Table, Broken]:
    """Read a text file of fields between delimiters.

    Args:
        file: The file.
        delimiter: One character; ``None`` finds out which of ``, ; tab |`` the header has most of.
        encoding: How the text is encoded.
        wanted: The columns to keep; ``None`` keeps all.
        progress: See :func:`cxkit.core.progress.steps`.

    Returns:
        The table, every column text, and the rows that do not fit its header. These are in the
        table too, all missing, so that rows keep their numbers.

    Raises:
        DataError: There is no header, or bytes are not text in this encoding.
        DefinitionError: The delimiter or the encoding is none.
    """
    _check(delimiter, encoding)
    try:
        header, delimiter = _read_header(file, delimiter, encoding)
        if codecs.lookup(encoding).name == "utf-8-sig":
            table = _by_pyarrow(file, header, delimiter, wanted)
            if table is not None:
                return table, Broken()
        return _by_csv(file, header, delimiter, encoding, wanted, progress)
    except UnicodeDecodeError as error:
        raise _undecodable(file, encoding, error) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file.path.name!r} cannot be read to its end: {error}") from error


def _check(delimiter: str | None, encoding: str) -> None:
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\x00'):
        raise DefinitionError(f"delimiter must be one character, such as ';'; found {delimiter!r}")
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DefinitionError(
            f"no encoding {encoding!r}; try 'utf-8-sig', 'cp1252', 'latin-1' or 'utf-16'"
        ) from None


def _read_header(file: FileKind, delimiter: str | None, encoding: str) -> tuple[list[str], str]:
    with open_bytes(file) as raw, _as_text(raw, encoding) as text:
        first = next((line for line in text if line.strip("\r\n")), "")
        if not first:
            raise DataError(f"{file.path.name!r} is empty: it has no header line")
        if delimiter is None:
            delimiter = _BY_ENDING.get(file.ending) or _sniff(first)
        rows = csv.reader(chain([first], text), delimiter=delimiter)
        try:
            return next(rows), delimiter
        except csv.Error as error:
            raise DataError(f"the header of {file.path.name!r} cannot be read: {error}") from None


def _sniff(header: str) -> str:
    outside = "".join(header.split('"')[::2])  # what stands between quotes delimits nothing
    return max(_DELIMITERS, key=outside.count)


def _as_text(raw: IO[bytes], encoding: str) -> io.TextIOWrapper:
    # newline="": the csv module itself knows ends of line from line breaks within quotes.
    return io.TextIOWrapper(raw, encoding=encoding, newline="")


def _by_csv(
    file: FileKind,
    header: list[str],
    delimiter: str,
    encoding: str,
    wanted: Collection[str] | None,
    progress: ProgressLike,
) -> tuple[Table, Broken]:
    width = len(header)
    lists: dict[int, list[str | None]] = {
        at: [] for at, name in enumerate(header) if wanted is None or name in wanted
    }
    broken = Broken()
    rows = 0
    size = file.path.stat().st_size
    with (
        file.path.open("rb") as counted,
        _unpacked(file, counted) as raw,
        _as_text(raw, encoding) as text,
        steps(f"reading {file.path.name}", size, progress) as step,
    ):
        reader = csv.reader(chain(text, (_END,)), delimiter=delimiter)
        records = (record for record in reader if record)
        next(records)  # the header
        position = 0
        while block := _next_block(file, records, reader, rows):
            ended = block[-1] == [_END]
            if ended:
                block.pop()
            elif block[-1][-1].endswith(_END):
                broken.add(
                    rows + len(block) - 1,
                    delimiter.join(block[-1]).removesuffix(_END),
                    "a quote that opens here is never closed, so the file ends within this row",
                )
                block[-1] = [None] * width  # type: ignore[list-item]
            if set(map(len, block)) - {width}:
                _mend(block, width, rows, delimiter, broken)
            columns = list(zip(*block, strict=True))
            for at, column in lists.items():
                column.extend(columns[at] if columns else ())
            rows += len(block)
            if progress and file.compressed != "zstd":
                step(counted.tell() - position)
                position = counted.tell()
    table = Table("file", tuple(header), rows, lambda at: _text(header[at], lists[at]))
    return table, broken


def _next_block(
    file: FileKind, records: Iterator[list[str]], reader: Any, rows: int
) -> list[list[str]]:
    try:
        return list(islice(records, _ROWS_AT_ONCE))
    except csv.Error as error:
        raise DataError(
            f"{file.path.name!r} cannot be read at line {reader.line_num:,} (row {rows:,} or "
            f"later): {error}; perhaps a quote is not closed"
        ) from None


def _mend(block: list[list[str]], width: int, rows: int, delimiter: str, broken: Broken) -> None:
    """Put missing fields in the place of rows that do not fit the header."""
    for at, record in enumerate(block):
        if len(record) != width:
            reason = f"{len(record)} fields where the header has {width}"
            broken.add(rows + at, delimiter.join(record), reason)
            block[at] = [None] * width  # type: ignore[list-item]


def _text(name: str, values: list[str | None]) -> Column:
    return attrs.evolve(from_objects(name, values), dtype="text")


def _unpacked(file: FileKind, counted: IO[bytes]) -> IO[bytes]:
    if file.compressed == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=counted)  # type: ignore[return-value]
    return open_bytes(file) if file.compressed else counted


def _by_pyarrow(
    file: FileKind, header: list[str], delimiter: str, wanted: Collection[str] | None
) -> Table | None:
    """The table by pyarrow, or ``None`` if it is not there or might read the file differently."""
    try:
        import pyarrow as pa
        from pyarrow import compute, csv as arrow_csv
    except ImportError:
        return None
    if len(header) < 2 or len(set(header)) < len(header):
        return None
    with open_bytes(file) as stream:
        data = stream.read()
    quotes = data.count(b'"')
    # A quote that does not stand where a field begins or ends is read differently.
    if quotes and not _plain_quotes(data, delimiter.encode()):
        return None
    keep = [name for name in header if wanted is None or name in wanted]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(block_size=1 << 22),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=bool(quotes)
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=False,
                include_columns=keep,
            ),
        )
    except (pa.ArrowException, ValueError):
        return None  # ragged rows, bytes that are no UTF-8: csv says which
    functions: Any = compute  # pyarrow makes them at run time, unseen by type checkers
    for name in keep:
        longest = functions.max(functions.binary_length(table.column(name))).as_py() or 0
        if longest > _LONGEST_FIELD:
            return None
    from cxkit.model.arrow import from_arrow

    return Table(
        "file",
        tuple(header),
        table.num_rows,
        lambda at: attrs.evolve(from_arrow(header[at], table.column(header[at])), dtype="text"),
    )


def _plain_quotes(data: bytes, delimiter: bytes) -> bool:
    """Whether every quoted field begins and ends at a delimiter or an end of line."""
    import re

    edge = re.escape(delimiter)
    field = rb"(?:^|(?<=[\r\n" + edge + rb']))"[^"]*(?:""[^"]*)*"(?=[\r\n' + edge + rb"]|\Z)"
    data = data.removeprefix(codecs.BOM_UTF8)
    return data.count(b'"') == sum(m.group().count(b'"') for m in re.finditer(field, data))


def _undecodable(file: FileKind, encoding: str, error: UnicodeDecodeError) -> DataError:
    """Find the first bad byte of the whole file: the error knows only its place in a buffer."""
    decoder = codecs.getincrementaldecoder(encoding)()
    before = lines = 0
    with open_bytes(file) as raw:
        while True:
            part = raw.read(1 << 20)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(part, final=not part)
            except UnicodeDecodeError as found:
                error, before = found, before - pending
                lines += found.object[: found.start].count(b"\n")
                break
            if not part:
                break
            lines += part.count(b"\n")
            before += len(part)
    bad = error.object[error.start : error.start + 1]
    return DataError(
        f"{file.path.name!r} is no {encoding} text: byte 0x{bad.hex()} at position "
        f"{before + error.start:,} (line {lines + 1:,}) fits nothing; pass the encoding it was "
        "written in, such as encoding='cp1252' or encoding='latin-1'"
    )
