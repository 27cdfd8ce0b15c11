import json
import struct

import numpy as np
import pytest

from cxkit.core.packing import pack, unpack
from cxkit.errors import DataError

ARRAYS = {
    "flags": np.array([[True], [False]]),
    "small": np.arange(3, dtype=np.uint8),
    "big": np.array([-1, 2**62], ">i8"),
    "real": np.array([[0.5, np.nan, -np.inf]]),
    "none": np.zeros((0, 4)),
}


def given(entries, body=b""):
    text = json.dumps({"schema": "s/1", "arrays": entries}).encode()
    return b"CXB1" + struct.pack("<Q", len(text)) + text + body


def test_everything_comes_back():
    data = pack("s/1", {"labels": ["é", 2**80, None]}, ARRAYS)
    header, arrays = unpack(data, "s/1", "thing")
    assert header["labels"] == ["é", 2**80, None]
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].shape == array.shape
        assert arrays[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(arrays[name], array, equal_nan=array.dtype.kind == "f")
    assert data == pack("s/1", {"labels": ["é", 2**80, None]}, ARRAYS)


def test_cut_anywhere_it_is_refused():
    data = pack("s/1", {}, ARRAYS)
    for size in range(len(data)):
        with pytest.raises(DataError, match="thing"):
            unpack(data[:size], "s/1", "thing")
    with pytest.raises(DataError, match="damaged or cut short"):
        unpack(data + b"!", "s/1", "thing")


def test_what_is_something_else_is_named():
    with pytest.raises(DataError, match=r"no thing; they begin with b'PK"):
        unpack(b"PK\3\4 a zip", "s/1", "thing")
    with pytest.raises(DataError, match="another schema than 's/2': 's/1'"):
        unpack(pack("s/1", {}, {}), "s/2", "thing")


@pytest.mark.parametrize(
    "data",
    [
        given([["a", "|O", [1]]], b"\0" * 8),  # a pointer, followed, would be a way in
        given([["a", "<i8", [-1]]]),
        given([["a", "<i8", [2**62, 2**62]]]),
        given([["a", "<i8", ["x"]]]),
        given([["a", "nothing", [1]]], b"\0"),
        given([["a", "<i8"]]),
        given({"a": 1}),
        given(None),
        b"CXB1" + struct.pack("<Q", 2**63) + b"{}",
        b"CXB1" + struct.pack("<Q", 2) + b"[]",
        b"CXB1" + struct.pack("<Q", 2) + b"\xff\xff",
    ],
)
def test_lies_are_refused(data):
    with pytest.raises(DataError):
        unpack(data, "s/1", "thing")
