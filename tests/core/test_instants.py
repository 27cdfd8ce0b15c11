"""Times of every form -> instants, against Python's own datetime."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core import instants
from cxkit.core.instants import (
    FINE,
    MISSING,
    REASONS,
    from_datetime64,
    from_iso,
    from_numbers,
    from_objects,
    from_pattern,
    is_null,
    to_utc,
)
from cxkit.core.isotime import IMPOSSIBLE, UNREADABLE
from cxkit.core.numerals import parse_floats, parse_wholes
from cxkit.core.spans import FIRST_US, LAST_US
from cxkit.core.timezones import find_zone, local_to_utc
from cxkit.errors import DefinitionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


def us_of(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


def write(moment: datetime, minutes: int | None, form: int) -> tuple[str, datetime]:
    """A moment in one of the forms, and what that text says (with fewer decimals, say)."""
    decimals = form % 10
    moment = moment.replace(microsecond=moment.microsecond // 10**6 * 10**6)
    text = moment.strftime("%H:%M:%S") if form % 3 else moment.strftime("%H:%M")
    if not form % 3:
        moment = moment.replace(second=0)
    elif decimals:
        digits = f"{form * 7919 % 10**decimals:0{decimals}d}"
        text += "." + digits
        moment = moment.replace(microsecond=int((digits + "000000")[:6]))
    text = f"{moment.date().isoformat()}{'T' if form % 2 else ' '}{text}"
    if minutes is None:
        return text, moment
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    zone = timezone(timedelta(minutes=minutes))
    styles = [f"{sign}{size // 60:02d}:{size % 60:02d}", f"{sign}{size // 60:02d}{size % 60:02d}"]
    if not minutes:
        styles += ["Z", " UTC"]
    elif minutes % 60 == 0:
        styles.append(f"{sign}{size // 60:02d}")
    return text + styles[form % len(styles)], moment.replace(tzinfo=zone)


@given(st.lists(st.tuples(moments, st.none() | offsets, st.integers(0, 10**6)), max_size=40))
def test_iso_text_is_read_as_python_reads_it(rows: list[tuple[datetime, int | None, int]]) -> None:
    written = [write(*row) for row in rows]
    clock = from_iso([text for text, _ in written])
    assert clock.reason.tolist() == [FINE] * len(rows)
    assert clock.us.tolist() == [us_of(moment) for _, moment in written]
    assert clock.naive.tolist() == [moment.tzinfo is None for _, moment in written]


@given(st.lists(st.text("0123456789-:TZ+. ", max_size=30) | st.text(max_size=30), max_size=30))
def test_no_text_is_read_that_python_refuses(texts: list[str]) -> None:
    clock = from_iso(texts)
    for text, reason, us in zip(texts, clock.reason, clock.us, strict=True):
        if reason == FINE:
            assert us == us_of(datetime.fromisoformat(text.upper().replace(" UTC", "Z")))
        else:
            assert us == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", UNREADABLE),
        ("soon", UNREADABLE),
        ("2024-1-1", UNREADABLE),
        ("2024/01/01", UNREADABLE),
        ("01-02-2024", UNREADABLE),
        ("2024-01-01T", UNREADABLE),
        ("2024-01-01Z", UNREADABLE),
        ("2024-01-01T10", UNREADABLE),
        ("2024-01-01T10:00:00.", UNREADABLE),
        ("2024-01-01T10:00:00.1234567890", UNREADABLE),
        ("2024-01-01T10:00:00 CET", UNREADABLE),
        (" 2024-01-01", UNREADABLE),
        ("2024-01-01\n", UNREADABLE),
        ("２０２４-01-01", UNREADABLE),
        ("2024-01-01T10:00:00−01:00", UNREADABLE),
        ("2024-02-30", IMPOSSIBLE),
        ("2023-02-29", IMPOSSIBLE),
        ("1900-02-29", IMPOSSIBLE),
        ("2024-13-01", IMPOSSIBLE),
        ("2024-00-01", IMPOSSIBLE),
        ("2024-04-31", IMPOSSIBLE),
        ("2024-01-00", IMPOSSIBLE),
        ("2024-01-01T24:00", IMPOSSIBLE),
        ("2024-01-01T23:60", IMPOSSIBLE),
        ("2024-01-01T23:59:60Z", IMPOSSIBLE),
        ("2024-01-01T10:00+24:00", IMPOSSIBLE),
        ("2024-01-01T10:00+01:60", IMPOSSIBLE),
    ],
)
def test_what_is_no_time_has_a_reason(text: str, reason: int) -> None:
    clock = from_iso(["2024-02-29T10:00Z", text])
    assert clock.reason.tolist() == [FINE, reason]
    assert not clock.naive[1]


def test_decimals_beyond_the_microsecond_are_cut_off_towards_the_past() -> None:
    texts = ["1970-01-01T00:00:00.000001999Z", "1969-12-31T23:59:59.999999999Z"]
    assert from_iso(texts).us.tolist() == [1, -1]
    values = np.array([1999, -1], "M8[ns]")
    assert from_datetime64(values).us.tolist() == [1, -1]
    assert from_numbers(np.array([1999, -1]), "ns").us.tolist() == [1, -1]


def test_more_rows_than_a_block_and_two_lengths_whose_mean_is_a_third() -> None:
    texts = ["2024-01-01", "2024-01-01T10:00:00.123456+01:00"[:30], "2024-01-01T10:00:00Z"] * 12_000
    clock = from_iso(texts)
    assert np.unique(clock.reason[0::3]).tolist() == [FINE]
    assert np.unique(clock.reason[1::3]).tolist() == [UNREADABLE]
    assert np.unique(clock.us[2::3]).tolist() == [1_704_103_200_000_000]


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"])
def test_datetime64_of_every_unit(unit: str) -> None:
    values = np.array(["1970-01-01", "1970-03-05", "NaT"], "M8[D]").astype(f"M8[{unit}]")
    clock = from_datetime64(values)
    assert clock.us[:2].tolist() == values[:2].astype("M8[us]").astype(np.int64).tolist()
    assert clock.reason.tolist() == [FINE, FINE, MISSING]


@pytest.mark.parametrize("unit", ["Y", "M", "D", "h", "s", "ms"])
def test_a_datetime64_far_away_does_not_overflow_into_the_range(unit: str) -> None:
    values = np.array([2**62, -(2**62), 2**63 - 1], np.int64).view(f"M8[{unit}]")
    found = to_utc(from_datetime64(values, naive=False), None)
    assert {REASONS[r] for r in found.reason} == {"time lies outside the years 1900 to 2200"}
    assert found.us.tolist() == [0, 0, 0]


def test_datetime64_in_steps_of_several_units() -> None:
    values = np.array([3], "M8[25s]")
    assert from_datetime64(values).us.tolist() == [75_000_000]
    assert from_datetime64(np.array([401], "M8[25ns]")).us.tolist() == [10]
    assert from_datetime64(np.array([2_999_999, -1], "M8[ps]")).us.tolist() == [2, -1]


@pytest.mark.parametrize(
    ("values", "unit", "us"),
    [
        (np.array([1, -1]), "s", [1_000_000, -1_000_000]),
        (np.array([1, -1], np.int8), "ms", [1_000, -1_000]),
        (np.array([7], np.uint64), "us", [7]),
        (np.array([1_531_234_567_123_456_789]), "ns", [1_531_234_567_123_456]),
        (np.array([1_531_234_567.123456, -0.5]), "s", [1_531_234_567_123_456, -500_000]),
        (np.array([1_531_234_567_123.456]), "ms", [1_531_234_567_123_456]),
        (np.array([1.5], np.float32), "s", [1_500_000]),
    ],
)
def test_numbers_of_a_unit(values: np.ndarray, unit: str, us: list[int]) -> None:
    clock = from_numbers(values, unit)
    assert clock.us.tolist() == us
    assert not clock.naive.any()


def test_numbers_that_are_no_instants_have_a_reason() -> None:
    floats = to_utc(from_numbers(np.array([np.nan, np.inf, -np.inf, 1e300, 0.0]), "s"), None)
    assert [REASONS[r] for r in floats.reason] == [
        *["not a finite number"] * 3,
        "time lies outside the years 1900 to 2200",
        "",
    ]
    wide = to_utc(from_numbers(np.array([2**64 - 1, 0], np.uint64), "ns"), None)
    assert wide.reason.tolist() == [instants.OUTSIDE, FINE]
    lone = to_utc(from_numbers(np.array([2**63 - 1, -(2**63)]), "s"), None)
    assert lone.reason.tolist() == [instants.OUTSIDE] * 2


def test_the_years_1900_to_2200() -> None:
    edges = np.array([FIRST_US - 1, FIRST_US, LAST_US, LAST_US + 1])
    found = to_utc(from_numbers(edges, "us"), None)
    assert found.reason.tolist() == [instants.OUTSIDE, FINE, FINE, instants.OUTSIDE]
    assert found.us.tolist() == [0, FIRST_US, LAST_US, 0]


def test_objects_of_all_kinds_row_by_row() -> None:
    berlin = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    values = [
        berlin,
        datetime(2024, 7, 1, 12),
        date(2024, 7, 1),
        np.datetime64("2024-07-01"),
        "2024-07-01T00:00Z",
        "2024-07-01",
        None,
        float("nan"),
        np.datetime64("NaT", "us"),
        "soon",
        12,
        object(),
    ]
    clock = from_objects(values)
    day = us_of(datetime(2024, 7, 1))
    noon = day + 12 * 3_600_000_000
    assert clock.us.tolist() == [noon - 7_200_000_000, noon, day, day, day, day] + [0] * 6
    assert clock.naive.tolist() == [False, True, True, True, False, True] + [False] * 6
    assert clock.reason.tolist() == [FINE] * 6 + [MISSING] * 3 + [UNREADABLE] * 3


def test_pandas_timestamps_lose_only_their_nanoseconds() -> None:
    pd = pytest.importorskip("pandas")
    stamp = pd.Timestamp("2024-01-01T10:00:00.123456789", tz="Asia/Tokyo")
    clock = from_objects([stamp, pd.NaT, pd.NA, stamp.tz_localize(None)])
    assert clock.us[0] == us_of(datetime(2024, 1, 1, 1, 0, 0, 123456))
    assert clock.reason.tolist() == [FINE, MISSING, MISSING, FINE]
    assert clock.naive.tolist() == [False, False, False, True]


def test_a_pattern_is_read_once_per_distinct_text() -> None:
    texts = ["01/02/2024 +0100", "31/02/2024 +0100", "01/02/2024 +0100", ""]
    clock = from_pattern(texts, "%d/%m/%Y %z")
    assert clock.us[[0, 2]].tolist() == [us_of(datetime(2024, 1, 31, 23))] * 2
    assert [REASONS[r] for r in clock.reason] == ["", "does not match time_format"] * 2
    assert not clock.naive.any()
    assert from_pattern(["2024"], "%Y").naive.all()


ZONES = [
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
]
DAY = 86_400_000_000
CHANGES = [
    us_of(datetime(2024, month, day))
    for month, day in [(3, 10), (3, 31), (4, 7), (4, 14), (10, 6), (10, 27), (11, 3)]
]


@pytest.mark.parametrize("name", ZONES)
@given(data=st.data())
def test_local_times_against_zoneinfo_row_by_row(name: str, data: st.DataObject) -> None:
    zone = ZoneInfo(name)
    around = st.sampled_from(CHANGES).flatmap(lambda base: st.integers(base - DAY, base + 2 * DAY))
    rows = data.draw(st.lists(around, max_size=20))
    if data.draw(st.integers(0, 9)) == 0:  # rarely: a table of changes over centuries is slow
        rows.append(data.draw(st.integers(FIRST_US, LAST_US)))
    found = local_to_utc(np.array(rows, np.int64), zone)
    for at, us in enumerate(rows):
        clock = (EPOCH + timedelta(microseconds=us)).replace(tzinfo=None)
        first = clock.replace(tzinfo=zone).astimezone(UTC)
        second = clock.replace(tzinfo=zone, fold=1).astimezone(UTC)
        exists = first.astimezone(zone).replace(tzinfo=None, fold=0) == clock
        assert found.skipped[at] == (not exists)
        if exists:
            assert found.us[at] == us_of(first)
            assert found.repeated[at] == (second != first)


def test_zones() -> None:
    assert find_zone("utc") is UTC
    assert find_zone(ZoneInfo("Asia/Tokyo")) == ZoneInfo("Asia/Tokyo")
    with pytest.raises(DefinitionError, match=r"Did you mean 'Europe/Amsterdam'\?"):
        find_zone("Europe/Amsterdm")
    with pytest.raises(DefinitionError, match=r"no time zone '../../etc/passwd'"):
        find_zone("../../etc/passwd")
    with pytest.raises(DefinitionError, match="found 5"):
        find_zone(5)  # type: ignore[arg-type]


def test_ambiguous_and_skipped_local_times_are_told_apart() -> None:
    texts = ["2024-03-31 02:30", "2024-10-27 02:30", "2024-10-27 03:00", "2024-10-27T02:30Z"]
    found = to_utc(from_iso(texts), find_zone("Europe/Amsterdam"))
    assert found.reason.tolist() == [instants.SKIPPED, FINE, FINE, FINE]
    assert found.repeated == 1
    assert found.us[1] == us_of(datetime(2024, 10, 27, 0, 30))


@given(st.lists(st.floats() | st.sampled_from(["x", "1,5", "€5", "1_0", "", " 2 ", "1e400"])))
def test_numbers_as_text_are_those_of_python(values: list[float | str]) -> None:
    texts = [str(v) for v in values]
    found, bad = parse_floats(texts)
    for text, value, is_bad in zip(texts, found, bad, strict=True):
        try:
            expected = float("x" if "_" in text else text)
        except ValueError:
            assert is_bad
            assert np.isnan(value)
        else:
            assert not is_bad
            assert value == expected or (np.isnan(value) and np.isnan(expected))


def test_whole_numbers_as_text_stay_exact() -> None:
    found, bad = parse_wholes(["1531234567123456789", "-7", "x", "²"])
    assert (found.dtype, found.tolist(), bad.tolist()) == (
        np.int64,
        [1531234567123456789, -7, 0, 0],
        [False, False, True, True],
    )
    found, bad = parse_wholes(["1.5", "2", "--3"])
    assert found[:2].tolist() == [1.5, 2.0]
    assert bad.tolist() == [False, False, True]
    assert parse_wholes(["9" * 25])[0].tolist() == [1e25]


def test_nothing_is_null_but_nothing() -> None:
    assert not any(is_null(v) for v in ("", 0, False, "nan", object(), np.int64(0)))
    assert all(
        is_null(v) for v in (None, float("nan"), np.float32("nan"), np.datetime64("NaT", "us"))
    )
