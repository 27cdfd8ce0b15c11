"""Files: both CSV readers agree, rows keep their numbers, nothing is lost."""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cxkit as cx
from cxkit.core.progress import steps
from cxkit.errors import DataError, DefinitionError, MissingExtraError, SchemaError
from cxkit.interop import delimited, read_table
from cxkit.interop.sniff import look_at

Z = "2024-01-01T00:00:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def read(path: Path, **options: Any) -> cx.Ingested:
    got = cx.read_events(path, **{"customer": "c", "time": "t", **options})
    assert got.journeys.touchpoints + len(got.rejected) == got.rows
    return got


def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)


def test_rows_that_do_not_fit_are_rejected_and_keep_their_numbers(path: Path) -> None:
    path.write_text(f"c,t,v\n\na,{Z},1\nb,{Z}\n\nc,{Z},3,4\n   \nd,{Z},5\n")
    got = read(path, value="v")
    assert got.rejected.to_dicts() == [
        {"row": 1, "column": "", "found": f"b,{Z}", "reason": "2 fields where the header has 3"},
        {
            "row": 2,
            "column": "",
            "found": f"c,{Z},3,4",
            "reason": "4 fields where the header has 3",
        },
        {"row": 3, "column": "", "found": "   ", "reason": "1 fields where the header has 3"},
    ]
    assert got.rows == 5
    assert got.journeys.value.tolist() == [1, 5]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(path: Path) -> None:
    path.write_text(f'c,t,h\na,{Z},web\nb,{Z},"mail\nc,{Z},web\n')
    got = read(path, channel="h")
    assert got.journeys.channel.to_list() == ["web"]
    assert got.rejected.row.tolist() == [1]
    assert "never closed" in got.rejected.reason[0]
    path.write_text('c,t\na,"' + "x\n" * 100_000)
    with pytest.raises(DataError, match="perhaps a quote is not closed"):
        read(path)


def test_more_rows_than_a_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pyarrow(monkeypatch)
    for size in (65_535, 65_536, 65_537):
        path.write_text("c,t\n" + "".join(f"{i},1\n" for i in range(size)))
        got = read(path, time_unit="s")
        assert (got.rows, len(got.rejected)) == (size, 0)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(path: Path, delimiter: str) -> None:
    rows = [["c", "t", '"a,b;c|d\te"'], ["x", Z, "y"]]
    path.write_text("\n".join(delimiter.join(row) for row in rows))
    assert read(path).journeys.touchpoints == 1
    assert read(path, delimiter=delimiter).journeys.touchpoints == 1


def test_endings_say_the_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "log.TSV"
    path.write_text(f"c\tt\ta,b,c,d\nx\t{Z}\t1\n")
    assert read(path).journeys.touchpoints == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "::"}, "delimiter must be one character"),
        ({"delimiter": '"'}, "delimiter must be one character"),
        ({"encoding": "utf-9"}, "no encoding 'utf-9'"),
    ],
)
def test_options_that_are_none(path: Path, options: dict[str, str], message: str) -> None:
    path.write_text("c,t\n")
    with pytest.raises(DefinitionError, match=message):
        read(path, **options)


def test_encodings(path: Path) -> None:
    for encoding in ("cp1252", "utf-16", "latin-1"):
        path.write_bytes(f"c,t\ncafé,{Z}\n".encode(encoding))
        assert read(path, encoding=encoding).journeys["customer"].to_list() == ["café"]


def test_the_place_of_an_undecodable_byte_is_that_in_the_file(path: Path) -> None:
    line = f"a,{Z}\n".encode()
    count = 120_000
    path.write_bytes(b"c,t\n" + line * count + b"caf\xc3\xa9\xff,x\n")
    place = 4 + len(line) * count + 5
    with pytest.raises(DataError, match=rf"byte 0xff at position {place:,} \(line {count + 2:,}\)"):
        read(path)


def test_text_stays_text(path: Path) -> None:
    path.write_text(f'c,t,h\n007,{Z},NA\n7,{Z},"1.0"\n')
    got = read(path, channel="h")
    assert got.journeys["customer"].to_list() == ["007", "7"]
    assert got.journeys.channel.to_list() == ["NA", "1.0"]
    assert read_table(path) == {"c": ["007", "7"], "t": [Z, Z], "h": ["NA", "1.0"]}


def test_nul_bytes_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(f"c,t\na\x00b,{Z}\n".encode())
    fast = read(path)
    without_pyarrow(monkeypatch)
    assert read(path).journeys == fast.journeys
    assert fast.journeys["customer"].to_list() == ["a\x00b"]


def test_a_repeated_name_in_the_header(path: Path) -> None:
    path.write_text(f"c,t,x,x,\na,{Z},1,2,\n")
    assert read(path).journeys.touchpoints == 1
    with pytest.raises(SchemaError, match="2 columns named 'x'"):
        read(path, columns=["x"])


def test_read_table_refuses_broken_rows(path: Path) -> None:
    path.write_text("c,t\na\n")
    with pytest.raises(DataError, match="row 0: 1 fields where the header has 2"):
        read_table(path)


CELLS = [
    "a",
    "",
    "é",
    "x y",
    '"q"',
    '"q,r"',
    '"n\nm"',
    '"a""b"',
    'a"b',
    '"a"b',
    ' "x"',
    "\x00",
    "'",
    "\u2028",
]
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", '"\n']


def test_both_readers_agree_on_thousands_of_dirty_files(path: Path) -> None:
    pytest.importorskip("pyarrow")
    rng = random.Random(7)  # a sample, not a secret
    by_pyarrow = 0
    for _ in range(2_000):
        dirty = rng.random() < 0.5
        width = rng.choice([2, 3])
        cells = CELLS if dirty else CELLS[:8]
        body = "".join(
            ",".join(rng.choice(cells) for _ in range(width + (dirty and rng.random() < 0.1)))
            + (rng.choice(ENDS) if dirty else rng.choice(ENDS[:4]))
            for _ in range(rng.randrange(5))
        )
        head = rng.choice(["", "\ufeff", "\n"]) + ",".join("htk"[:width]) + rng.choice(ENDS[:5])
        path.write_bytes((head + body).encode())
        file = look_at(path, "utf-8-sig")
        options: Any = {
            "delimiter": None,
            "encoding": "utf-8-sig",
            "wanted": None,
            "progress": None,
        }
        table, broken = delimited.read_delimited(file, **options)
        header, delimiter = delimited._read_header(file, None, "utf-8-sig")
        slow, slow_broken = delimited._by_csv(file, header, delimiter, "utf-8-sig", None, None)
        fast = delimited._by_pyarrow(file, header, delimiter, None)
        by_pyarrow += fast is not None
        assert (table.names, table.rows, broken) == (slow.names, slow.rows, slow_broken)
        for name in table.names:
            assert table.column(name, name).to_list() == slow.column(name, name).to_list()
    assert by_pyarrow > 500


def test_both_readers_give_equal_results_on_a_clean_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(3)
    who, worth = rng.integers(0, 50, 3000), rng.random(3000)
    rows = [f'"u{c}",2024-01-{c % 28 + 1:02d}T00:00Z,{v}' for c, v in zip(who, worth, strict=True)]
    path.write_text("c,t,v\n" + "\n".join(rows))
    fast = read(path, value="v")
    without_pyarrow(monkeypatch)
    slow = read(path, value="v")
    assert fast.journeys == slow.journeys
    assert (fast.rows, fast.duplicates) == (slow.rows, slow.duplicates) == (3000, 0)


def test_packed_text(tmp_path: Path) -> None:
    text = f"c,t\na,{Z}\n".encode()
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(text))
    assert read(packed).rows == 1
    pa = pytest.importorskip("pyarrow")
    strong = tmp_path / "log.csv.zst"
    with pa.output_stream(str(strong), compression="zstd") as out:
        out.write(text)
    assert read(strong).journeys == read(packed).journeys


def test_zst_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.csv.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfdrest")
    without_pyarrow(monkeypatch)
    with pytest.raises(MissingExtraError, match=r"cxkit\[arrow\]"):
        read(path)


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "log.parquet"
    times = pa.array([0, 1], pa.timestamp("ns", "UTC"))
    table = pa.table({"c": [2, 1], "t": times, "h": ["x", None], "other": [[1], []]})
    parquet.write_table(table, path)
    got = read(path, channel="h")
    assert got.journeys.channel.to_list() == [None, "x"]
    with pytest.raises(SchemaError, match=r"no column 'nope' for event; the table has .*'other'"):
        read(path, event="nope")
    again = cx.ingest(read_table(path), customer="c", time="t", channel="h")
    assert again.journeys == got.journeys
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(DataError, match="is damaged"):
        read(path)
    without_pyarrow(monkeypatch)
    with pytest.raises(MissingExtraError, match=r"reading Parquet needs pyarrow"):
        read(path)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [
        json.dumps({"c": "a", "t": Z, "v": 1}),
        "",
        "{broken",
        "[1, 2]",
        json.dumps({"c": "b", "t": Z, "h": "web"}),
        json.dumps({"t": Z}),
        '{"c": "d", "t": "2024-01-01T00:00Z", "v": Infinity}',
    ]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    got = read(path, value="v", channel="h")
    assert got.rows == 6
    assert [(r["row"], r["reason"]) for r in got.rejected.to_dicts()] == [
        (1, "not JSON"),
        (2, "not a JSON object"),
        (4, "no customer"),
        (5, "infinite"),
    ]
    assert got.journeys.channel.to_list() == [None, "web"]
    path.write_text("1\n2\n")
    with pytest.raises(DataError, match="no JSON object in any line"):
        read(path)


def test_progress_counts_bytes_then_columns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_pyarrow(monkeypatch)
    path.write_text("c,t\n" + f"a,{Z}\n" * 10)
    seen: list[tuple[int, int]] = []
    read(path, progress=lambda done, total: seen.append((done, total)))
    assert (path.stat().st_size,) * 2 in seen


def test_a_bar_is_drawn_only_on_a_terminal_and_only_when_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with steps("slow", 2, progress=True) as step:
        step()
    assert capsys.readouterr().err == ""
    monkeypatch.setitem(steps.__wrapped__.__globals__, "_PATIENCE", 0.0)  # type: ignore[attr-defined]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with steps("slow", 2, progress=True) as step:
        step()
        step(5)
    err = capsys.readouterr().err
    assert "slow [###############...............] 1/2" in err
    assert err.endswith("2/2\n")
