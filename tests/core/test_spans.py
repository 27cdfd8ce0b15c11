import warnings
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit.core.spans import FIRST_US, LAST_US, instant_us, show_span, span_us
from cxkit.errors import DefinitionError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    GENERIC = np.timedelta64(1)  # a span without a unit: numpy itself will refuse it one day


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30min", 1800), ("7d", 604_800), ("1h30min", 5400), ("2w", 1_209_600), ("0.5h", 1800)],
)
def test_spans(text, seconds):
    assert span_us(text, name="gap") == seconds * 1_000_000


def test_every_kind_of_span_is_the_same():
    kinds = ["90s", "1.5min", "90000ms", timedelta(seconds=90), np.timedelta64(90, "s")]
    kinds += [np.timedelta64(90_000, "ms"), np.timedelta64(90 * 10**9, "ns")]
    kinds += [np.timedelta64(9, "10s"), np.timedelta64(90 * 10**6, "us")]
    assert {span_us(k, name="gap") for k in kinds} == {90_000_000}
    assert span_us(np.timedelta64(2, "W"), name="gap") == span_us("14d", name="gap")
    assert span_us(np.timedelta64(3, "m"), name="gap") == span_us("3min", name="gap")


@pytest.mark.parametrize(
    "bad",
    [
        *("", "7", "7 parsecs", "d", "-1d", "0s", "1d!", timedelta(0), timedelta(-1), 30, None),
        *(np.timedelta64("NaT", "s"), np.timedelta64(1, "M"), GENERIC),
    ],
)
def test_what_is_no_span(bad):
    with pytest.raises(DefinitionError, match="gap"):
        span_us(bad, name="gap")


@pytest.mark.parametrize(
    "long",
    [
        *("60000000d", "9" * 400 + "d", timedelta.max),
        *(np.timedelta64(60_000_000, "D"), np.timedelta64(2**60, "s"), np.timedelta64(2**60, "3h")),
    ],
)
def test_what_is_too_long_is_said_to_be(long):
    with pytest.raises(DefinitionError, match="gap is too long: give less than 53,375,995 days"):
        span_us(long, name="gap")
    assert span_us("53375995d", name="gap") < 2**62


@given(st.integers(1, 10**15))
def test_a_shown_span_reads_back(us):
    assert span_us(show_span(us), name="gap") == us


def test_every_kind_of_instant_is_the_same():
    summer = timezone(timedelta(hours=2))
    kinds = [
        "2024-03-01T10:00Z",
        "2024-03-01T12:00:00+02:00",
        datetime(2024, 3, 1, 10, tzinfo=UTC),
        datetime(2024, 3, 1, 12, tzinfo=summer),
        np.datetime64("2024-03-01T10:00:00.000000001"),
    ]
    assert {instant_us(k, name="at") for k in kinds} == {1_709_287_200_000_000}


def test_a_date_is_its_midnight_utc():
    for day in ("2018-08-01", date(2018, 8, 1), np.datetime64("2018-08-01")):
        assert instant_us(day, name="at") == 1_533_081_600_000_000


def test_a_time_without_zone_is_refused_with_what_to_write():
    with pytest.raises(DefinitionError, match="2024-03-01T10:00:00Z"):
        instant_us("2024-03-01T10:00", name="at")
    with pytest.raises(DefinitionError, match="has no zone"):
        instant_us(datetime(2024, 3, 1), name="at")


@pytest.mark.parametrize("bad", ["", "soon", "2024-13-01", np.datetime64("NaT", "us"), 5, None])
def test_what_is_no_instant(bad):
    with pytest.raises(DefinitionError, match="at"):
        instant_us(bad, name="at")


def test_the_years_1900_to_2200():
    assert instant_us("1900-01-01", name="at") == FIRST_US
    assert instant_us("2200-12-31T23:59:59.999999Z", name="at") == LAST_US
    for outside in ("1899-12-31", "2201-01-01"):
        with pytest.raises(DefinitionError, match="1900 to 2200"):
            instant_us(outside, name="at")
