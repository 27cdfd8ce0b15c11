import base64
import hashlib
import hmac
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cxkit import DataError, DefinitionError, Journeys, SchemaError
from cxkit.core.codes import Codes
from cxkit.identity import Pseudonyms
from tests.strategies import LABELS, journeys_of, touchpoint_rows

KEY = bytes(range(32))


def test_it_is_the_plain_keyed_hash():
    plain = hmac.new(KEY, b"5:email:ann@x", hashlib.sha256).digest()[:16]
    expected = base64.b32encode(plain).decode().rstrip("=").lower()
    assert Pseudonyms(KEY).of("ann@x", namespace="email") == expected
    blake = hashlib.blake2b(b"0::7", key=KEY, digest_size=20).digest()
    got = Pseudonyms(KEY, algorithm="blake2b", size=20).of(7)
    assert got == base64.b32encode(blake).decode().rstrip("=").lower()


@given(st.lists(LABELS, max_size=20), st.sampled_from(["hmac-sha256", "blake2b"]))
def test_a_column_is_hidden_label_by_label(values, algorithm):
    hide = Pseudonyms(KEY, algorithm=algorithm)
    got = hide.codes(Codes.of(values)).to_list()
    assert got == [None if v is None else hide.of(v) for v in values]
    assert len(set(got)) == len(set(values))


def test_keys_and_namespaces_set_apart():
    hide = Pseudonyms(KEY)
    found = {
        hide.of("a"),
        hide.of("a", namespace="b"),
        hide.of("b:a"),
        hide.of(":a"),
        Pseudonyms(KEY[::-1]).of("a"),
        Pseudonyms(KEY, algorithm="blake2b").of("a"),
    }
    assert len(found) == 6
    assert hide.of(7) == hide.of("7")


@given(touchpoint_rows(min_rows=1))
def test_journeys_stay_journeys(rows):
    journeys, hide = journeys_of(rows), Pseudonyms(KEY, size=8)
    got = hide.apply(journeys, ["customer", "channel"])
    back = {hide.of(label): label for label in journeys.customer.vocabulary}
    assert sorted(back[j.customer] for j in got) == [j.customer for j in journeys]
    labels = [j.customer for j in got]
    assert labels == sorted(labels)
    for journey in got:
        same = next(j for j in journeys if j.customer == back[journey.customer])
        assert journey.journeys.time.tolist() == same.journeys.time.tolist()
        assert journey.journeys.event == same.journeys.event
        expected = [None if c is None else hide.of(c) for c in same.journeys.channel.to_list()]
        assert journey.journeys.channel.to_list() == expected
    assert hide.apply(journeys, "event").customer == journeys.customer


def test_the_key_is_nowhere_to_be_seen():
    hide = Pseudonyms(b"a secret that nobody may see")
    assert "secret" not in repr(hide)
    with pytest.raises(DefinitionError, match="found 6 bytes") as caught:
        Pseudonyms(b"secret")
    assert "secret'" not in str(caught.value)
    assert pickle.loads(pickle.dumps(hide)).of("a") == hide.of("a")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "text of many many bytes"}, "found no bytes"),
        ({"key": KEY, "algorithm": "md5"}, "'md5'"),
        ({"key": bytes(65), "algorithm": "blake2b"}, "at most 64"),
        ({"key": KEY, "size": 4}, "8 to 32"),
        ({"key": KEY, "size": True}, "8 to 32"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(DefinitionError, match=message):
        Pseudonyms(**options)


def test_two_ids_of_one_pseudonym_are_refused(monkeypatch):
    monkeypatch.setattr(Pseudonyms, "_hasher", lambda *_: lambda _: "same")
    with pytest.raises(DataError, match="take a larger size"):
        Pseudonyms(KEY).codes(Codes.of(["a", "b"]))


def test_a_column_of_numbers_has_no_ids():
    journeys = Journeys.from_codes(
        customer=np.array([1]), time=np.arange(1), columns={"value": np.array([1.0])}
    )
    with pytest.raises(SchemaError, match="holds numbers"):
        Pseudonyms(KEY).apply(journeys, "value")
