"""JSON lines: the fast reader and the plain one see the same, or the fast one steps back."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.errors import CxError
from cxkit.interop import jsonlines, load
from cxkit.interop.sniff import look_at

pytest.importorskip("pyarrow")
ROLES: dict[str, Any] = {"customer": "c", "time": "t", "time_unit": "s"}
WANTED = ("c", "t", "v")


def both(path: Path, data: bytes, **roles: Any) -> bool:
    """Read both ways, compare, and say whether the fast way was taken."""
    path.write_bytes(data)
    file = look_at(path)
    fast = jsonlines._by_pyarrow(data.removeprefix(b"\xef\xbb\xbf"), {*WANTED})
    results = []
    for reader in (jsonlines._by_pyarrow, lambda *_: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonlines, "_by_pyarrow", reader)
            try:
                got = cx.read_events(path, **ROLES, **roles)
                results.append((got.journeys, got.rejected.to_dicts(), got.rows, got.notes))
            except CxError as error:
                results.append(str(error))
    assert results[0] == results[1], data
    assert file.kind == "json lines"
    return fast is not None


CELLS: list[list[bytes]] = [
    [b'"a"', b'"b\\n\\u00e9"', '"é😀"'.encode(), b'"\\ud83d\\ude00"', b"null", b'""', b'" "'],
    [b"1", b"2", b"-3", b"0"],
    [b"1.5", b"2.0", b"-1e3", b"0.1", b"3", b"null", b"-0.0"],
]
ODD = [
    b'"\\ud800"', b"1", b"1.0", b'"x"', b"true", b"[1]", b'{"c": "z"}', b"NaN", b"Infinity",
    b"1e999", b"9223372036854775808", b"01", b"1.", b"'q'", b'"\xff"', b'"\xed\xa0\x80"',
    b'"tab\there"', b'"\\x"', b"", b"nul", b'"\x00"', b"1" * 5000, b"[" * 300 + b"]" * 300,
    b'"c", "c": "dup"', b'"{", "z": "}"', b'"}\\n{"', b'/*x*/ "a"', b'"a" "b"',
]  # fmt: skip
JOINTS = [b"\n"] * 20 + [b"\r\n", b"\n\n", b" ", b"", b"\n ", b",\n", b"\r", b"\xef\xbb\xbf\n"]


def record(rng: random.Random, odd: float) -> bytes:
    cells = [rng.choice(ODD if rng.random() < odd else CELLS[at]) for at in range(len(WANTED))]
    pairs = [b'"%s": %s' % (n.encode(), cell) for n, cell in zip(WANTED, cells, strict=True)]
    if rng.random() < 0.3:
        pairs.append(b'"more": ' + rng.choice([b"1", b'"x"', b'{"a": [1, "}"]}', b"null"]))
    if rng.random() < odd:
        pairs.pop(rng.randrange(len(pairs)))
    return b"{" + b", ".join(pairs) + b"}"


def test_both_readers_agree_on_thousands_of_dirty_files(tmp_path: Path) -> None:
    rng = random.Random(11)
    path = tmp_path / "log.jsonl"
    fast = 0
    for trial in range(600):
        odd = (0.0, 0.05, 0.3)[trial % 3]
        rows = [record(rng, odd) for _ in range(rng.randrange(1, 6))]
        ends = [rng.choice(JOINTS) if rng.random() < odd else b"\n" for _ in rows]
        data = b"".join(row + end for row, end in zip(rows, ends, strict=True))
        fast += both(path, data, value="v")
    assert fast > 150


def test_a_cell_that_differs_late_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    good = b'{"c": "a", "t": 1, "v": 1.5}\n'
    assert both(path, good * 300, value="v")
    for late in (b'{"c": 5, "t": 1, "v": 1.5}', b'{"c": "a", "t": 1.5, "v": 1.5}', b"{broken",
                 b'{"c": "a", "t": 1, "v": "x"}', b"[1]", b'{"c": "a", "c": "b", "t": 1, "v": 2.5}',
                 b'{"t": 1, "v": 1.5} {"c": "b", "t": 1, "v": 1.5}',
                 b'{"c": "a", "t": 1, "v": 1e999}'):  # fmt: skip
        assert not both(path, good * 300 + late + b"\n", value="v")
    assert both(path, good * 300 + b'{"t": 1, "v": 1}\n', value="v")  # a field may be missing


def test_objects_that_do_not_keep_to_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    one = b'{"c": "a", "t": 1, "v": 1.5}'
    # As many objects as lines, but not one on each.
    assert not both(
        path, b"\n".join([one] * 300 + [one + one, b'{"c": "b",', b'"t": 2, "v": 1.5}'])
    )
    assert not both(path, one + b"\n" + one.replace(b", ", b",\n", 1))


def test_whole_numbers_alone_are_labels_and_decimal_ones_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for values, kind in (((1, 2), cx.Journeys), ((1, 2.5), float), ((True, False), cx.Journeys)):
        rows = [{"c": "a", "t": 1, "v": value} for value in values]
        assert both(path, "\n".join(map(json.dumps, rows)).encode(), columns=["v"])
        column = cx.read_events(path, **ROLES, columns=["v"]).journeys["v"]
        assert isinstance(column, np.ndarray) == (kind is float)


def test_a_long_line_does_not_break_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"c": "a", "t": 1, "v": 0.5, "x": "y" * (5 << 20)}, {"c": "b", "t": 2, "v": 0.5}]
    assert both(path, "\n".join(map(json.dumps, rows)).encode(), value="v")


def test_packed_and_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    import pyarrow as pa

    data = b'\xef\xbb\xbf{"c": "a", "t": 1}\r\n{"c": "b", "t": 2}\r\n'
    with pa.output_stream(str(tmp_path / "a.jsonl.zst"), compression="zstd") as out:
        out.write(data)
    with pa.output_stream(str(tmp_path / "b.jsonl.gz"), compression="gzip") as out:
        out.write(data)
    for name in ("a.jsonl.zst", "b.jsonl.gz"):
        assert cx.read_events(tmp_path / name, **ROLES).journeys.customer.to_list() == ["a", "b"]
        assert load.load(tmp_path / name, wanted=["c"])[0].rows == 2


LARGE = 9007199254740993  # 2**53 + 1, which no float is


@pytest.mark.parametrize("first", [{"c": 1.5, "t": 1}, {"c": 2.0, "t": 1.0}])
def test_large_whole_numbers_stay_exact_beside_fractions(
    tmp_path: Path, first: dict[str, Any]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, [first, {"c": LARGE, "t": 1}])))
    got = cx.read_events(path, **ROLES)
    assert got.rejected.row.tolist() == ([0] if first["c"] == 1.5 else [])
    assert LARGE in got.journeys["customer"].to_list()
    assert not both(path, path.read_bytes())
