import pytest

from cxkit.core.records import check_fields
from cxkit.errors import DataError

GOOD = {"schema": "x/1", "a": 1}


def test_what_is_right_passes():
    check_fields(GOOD, "x/1", "thing", ["a"])
    check_fields({**GOOD, "b": 2}, "x/1", "thing", ["a"], ["b"])
    check_fields({"a": 1}, None, "part", ["a"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "this is no thing: found 'text', expected a mapping"),
        ({**GOOD, "schema": "x/2"}, "this is no thing: schema is 'x/2', expected 'x/1'"),
        ({"a": 1}, "schema is None"),
        ({**GOOD, "aa": 1}, r"thing: unknown field 'aa'; .* Did you mean 'a'\?"),
        ({"schema": "x/1"}, "thing: the field 'a' is missing"),
    ],
)
def test_what_is_wrong_is_named(data, message):
    with pytest.raises(DataError, match=message):
        check_fields(data, "x/1", "thing", ["a"])
