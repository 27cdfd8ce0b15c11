"""Deterministic rules on records whose true persons are known, and on really dirty ones.

``pytest -s`` on this file prints the table of docs/how-to/stitch-identities.md, which must hold it.
"""

import csv
import gzip
import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from cxkit.identity import stitch
from tests.shared import shared

PAGE = Path(__file__).parents[2] / "docs/how-to/stitch-identities.md"


def read(path):
    with gzip.open(shared(path), "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def facts(folder):
    return json.loads(shared(f"{folder}/facts.json").read_text(encoding="utf-8"))


def key(rows, *columns):
    """Several columns as one identifier; none where one is empty."""
    cells = [[row[c].strip() for c in columns] for row in rows]
    return ["|".join(found) if all(found) else None for found in cells]


def pairs(counts):
    return sum(n * (n - 1) // 2 for n in counts.values())


def measure(record, keys, truth, **options):
    """Precision, recall and the size of the largest customer, pair by pair."""
    table = {"record": record, **keys}
    identity = stitch(table, left="record", right=list(keys), exclusive=(), **options)
    who = identity.resolve(table, ["record"]).to_list()
    right, said = pairs(Counter(zip(who, truth, strict=True))), pairs(Counter(who))
    return right / said, right / pairs(Counter(truth)), max(Counter(who).values())


def in_the_page(data, rule, found):
    line = f"| {data} | {rule} | {found[0]:.3f} | {found[1]:.3f} | {found[2]} |"
    print(line)
    assert line in PAGE.read_text(encoding="utf-8")


FEBRL = {
    "social security id": {"ssn": ["soc_sec_id"]},
    "name and birthday": {"name": ["given_name", "surname", "date_of_birth"]},
    "either of these, or address and birthday": {
        "ssn": ["soc_sec_id"],
        "name": ["given_name", "surname", "date_of_birth"],
        "address": ["address_1", "date_of_birth"],
    },
    "name alone": {"name": ["given_name", "surname"]},
}


@pytest.mark.parametrize("rule", FEBRL)
@pytest.mark.parametrize("name", ["dataset1", "dataset2", "dataset3", "dataset4"])
def test_febrl(name, rule):
    parts = ["dataset4a", "dataset4b"] if name == "dataset4" else [name]
    rows = [row for part in parts for row in read(f"data/febrl/{part}.csv.gz")]
    record = [row["rec_id"] for row in rows]
    truth = [rec.split("-")[1] for rec in record]
    known = facts("data/febrl")[name]
    assert len(rows) == known.get("rows", known.get("rows_a", 0) + known.get("rows_b", 0))
    assert pairs(Counter(truth)) == known["true_pairs"]
    keys = {space: key(rows, *columns) for space, columns in FEBRL[rule].items()}
    found = measure(record, keys, truth)
    if "alone" not in rule:
        assert found[0] == 1  # not one false pair
    if name in {"dataset3", "dataset4"}:
        in_the_page(f"FEBRL {name}", rule, found)


def plain(text):
    return re.sub(r"[^a-z0-9]+", " ", text.casefold()).strip()


def last_seven(phone):
    """Written with and without area code, and as floats."""
    digits = re.sub(r"\D", "", phone.split(".")[0])
    return digits[-7:] if len(digits) >= 7 else ""


CHICAGO = {
    "name and address": [("name", "address")],
    "address and phone": [("address", "phone")],
    "any two of name, address and phone": list(combinations(["name", "address", "phone"], 2)),
    "phone": [("phone",)],
    "name, or address, or phone": [("name",), ("address",), ("phone",)],
}


@pytest.mark.parametrize("rule", CHICAGO)
def test_chicago(rule):
    rows = read("data/chicago-early-childhood/csv_example_input_with_true_ids.csv.gz")
    known = facts("data/chicago-early-childhood")
    truth = [row["True Id"] for row in rows]
    assert len(rows) == known["rows"]
    assert len(set(truth)) == known["true_entities"]
    assert pairs(Counter(truth)) == known["true_pairs"]
    assert max(Counter(truth).values()) == known["largest_cluster"]
    cells = [
        {
            "name": plain(row["Site name"]),
            "address": plain(row["Address"]),
            "phone": last_seven(row["Phone"]),
        }
        for row in rows
    ]
    keys = {"_".join(columns): key(cells, *columns) for columns in CHICAGO[rule]}
    record = [f"site {row['Id']}" for row in rows]
    found = measure(record, keys, truth)
    in_the_page("Chicago sites", rule, found)
    if rule.startswith("name, or"):
        # Sites of one agency share its phone: one profile grows beyond the largest true one.
        assert found[2] > known["largest_cluster"]
        guarded = measure(record, keys, truth, max_shared=12)
        assert guarded[0] > found[0]
        assert guarded[2] < found[2]
        in_the_page("Chicago sites", f"{rule}; `max_shared=12`", guarded)


def test_splink_fake_1000():
    rows = read("data/splink-fake-1000/fake_1000.csv.gz")
    known = facts("data/splink-fake-1000")
    truth = [row["cluster"] for row in rows]
    assert (len(rows), len(set(truth))) == (known["rows"], known["clusters"])
    record = [f"record {row['unique_id']}" for row in rows]
    found = measure(record, {"email": key(rows, "email")}, truth)
    assert found[0] == 1
    assert round(found[1] * known["true_pairs"]) == known["email_exact_match_pairs"]
    in_the_page("splink fake_1000", "e-mail", found)
