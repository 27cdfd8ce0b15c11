"""The command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from cxkit.__main__ import main
from tests.report.pages import check_page
from tests.shared import shared

ROLES = ["--customer", "who", "--time", "when", "--channel", "where", "--event", "what"]
LOG = """who,when,where,what,worth,camp
ann,2024-03-01T10:00Z,mail,look,,spring
ann,2024-03-01T11:00Z,web,buy,12.5,spring
bob,2024-03-02T10:00Z,web,look,,
bob,soon,web,look,,
"""


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def run(*args):
    return main([str(arg) for arg in args])


def python(*args, **options):
    """A process of its own, as a user would start it."""
    command = [sys.executable, "-m", "cxkit", *map(str, args)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_a_report_in_text_html_and_json(log, tmp_path, capsys):
    page, data = tmp_path / "out.html", tmp_path / "out.json"
    assert (
        run(
            "report",
            log,
            *ROLES,
            "--goal",
            "buy",
            "--value",
            "worth",
            "--campaign",
            "camp",
            "--html",
            page,
            "--json",
            data,
        )
        == 0
    )
    out, err = capsys.readouterr()
    assert err == ""
    assert "Customer journeys to 'buy': log.csv" in out
    assert f"wrote {page}" in out
    check_page(page.read_text(encoding="utf-8"))
    told = json.loads(data.read_text(encoding="utf-8"))
    assert told["sections"]["read"]["facts"]["rejected"] == 1
    assert told["sections"]["overview"]["facts"]["value"] == 12.5
    assert {r["label"] for r in told["sections"]["visits"]["tables"]["visits_campaign"]} == {
        "spring",
        None,
    }


def test_options_reach_the_report(log, tmp_path, capsys):
    data = tmp_path / "out.json"
    assert (
        run(
            "report",
            log,
            *ROLES,
            "--goal",
            "buy",
            "--lookback",
            "30d",
            "--gap",
            "5min",
            "--exclude-goal-touch",
            "--funnel",
            "look",
            "buy",
            "--at",
            "2024-03-01T10:30Z",
            "--title",
            "mine",
            "--null",
            "bob",
            "--null",
            "x",
            "--json",
            data,
            "--width",
            "60",
        )
        == 0
    )
    told = json.loads(data.read_text(encoding="utf-8"))
    plan = told["definition"]
    assert told["title"] == "mine"
    assert (plan["lookback"], plan["session_gap"], plan["goal_is_touch"]) == ("30d", "5min", False)
    assert plan["at"].startswith("2024-03-01T10:30")
    assert [step["event"] for step in plan["funnel"]["steps"]] == ["look", "buy"]
    assert told["sections"]["overview"]["facts"]["customers"] == 1
    assert told["sections"]["people"]["people"][0]["touchpoints"] == 1
    assert max(map(len, capsys.readouterr().out.split("\n"))) <= max(60, len(f"wrote {data}"))


def test_numbers_as_times_and_events(tmp_path, capsys):
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"w": 1, "t": 1700000000, "e": 3, "c": "x"}\n{"w": 2, "t": 1700000009, "e": 4, "c": "x"}\n'
    )
    roles = ["--customer", "w", "--time", "t", "--channel", "c", "--event", "e", "--time-unit", "s"]
    assert run("report", path, *roles, "--goal", "3", "--funnel", "4", "3") == 0
    assert "2023-11-14 22:13" in capsys.readouterr().out
    assert run("report", path, *roles, "--goal", "three") == 2
    assert "no event 'three'" in capsys.readouterr().err


def test_how_the_file_is_read(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(
        "who;when;where;what\nänn;01.03.2024 10:00;web;buy\nb;01.03.2024 11:00;web;x\n".encode(
            "latin-1"
        )
    )
    assert (
        run(
            "report",
            path,
            *ROLES,
            "--goal",
            "buy",
            "--delimiter",
            ";",
            "--encoding",
            "latin-1",
            "--time-format",
            "%d.%m.%Y %H:%M",
            "--tz",
            "Europe/Amsterdam",
        )
        == 0
    )


def test_demo(tmp_path, capsys):
    page = tmp_path / "demo.html"
    assert run("demo", "--customers", "300", "--seed", "4", "--html", page) == 0
    first = capsys.readouterr().out
    assert "Demo: 300 simulated customers" in first
    check_page(page.read_text(encoding="utf-8"))
    assert run("demo", "--customers", "300", "--seed", "4", "--html", page) == 0
    assert capsys.readouterr().out == first


BAD = {
    "no file": (["report", "absent.csv", *ROLES, "--goal", "buy"], "absent.csv"),
    "no column": (["report", "{log}", *ROLES[:-1], "whta", "--goal", "buy"], "Did you mean 'what'"),
    "no goal": (["report", "{log}", *ROLES, "--goal", "by"], "Did you mean 'buy'"),
    "bad span": (["report", "{log}", *ROLES, "--goal", "buy", "--lookback", "soon"], "lookback"),
    "bad instant": (["report", "{log}", *ROLES, "--goal", "buy", "--at", "soon"], "soon"),
    "no folder": (
        ["report", "{log}", *ROLES, "--goal", "buy", "--html", "{dir}/no/x.html"],
        "no folder",
    ),
    "a folder": (["demo", "--json", "{dir}"], "it is a folder"),
    "the input": (["report", "{log}", *ROLES, "--goal", "buy", "--html", "{log}"], "is read"),
    "one output twice": (["demo", "--json", "x", "--html", "x"], "the same file"),
    "no customers": (["demo", "--customers", "0"], "customers must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_errors_are_one_line_and_code_2(log, tmp_path, capsys, case):
    args, part = BAD[case]
    before = log.read_bytes()
    assert run(*(arg.format(log=log, dir=tmp_path) for arg in args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert part in err
    assert log.read_bytes() == before


def test_an_empty_file_is_told(tmp_path, capsys):
    path = tmp_path / "empty.csv"
    path.write_text("who,when,where,what\n")
    assert run("report", path, *ROLES, "--goal", "buy") == 2
    assert "nothing to report on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args", [[], ["reprot"], ["report"], ["demo", "--customers", "many"]], ids=str
)
def test_wrong_arguments_are_one_line_and_code_2(args, capsys):
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "--help" in err


def test_help_has_examples(capsys):
    for args in (["--help"], ["report", "--help"], ["demo", "--help"]):
        with pytest.raises(SystemExit) as left:
            main(args)
        assert left.value.code == 0
        assert "python -m cxkit" in capsys.readouterr().out


def test_version(capsys, monkeypatch):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("cxkit ")


def test_a_warning_is_one_line(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("who,when,where,what\na,2024-03-01Z,web,buy\n".replace("01Z", "01T00:00Z"))
    assert run("report", path, *ROLES, "--goal", "buy") == 0
    err = capsys.readouterr().err
    assert err.startswith("warning: every path ends")
    assert err.count("\n") == 1


def test_an_interrupt_is_told(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cxkit.__main__._demo", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_process_of_its_own(log):
    done = python("report", log, *ROLES, "--goal", "buy")
    assert done.returncode == 0
    assert done.stderr == b""
    done = python("report", log, *ROLES, "--goal", "nope")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert b"Traceback" not in done.stderr
    assert b"python -m cxkit --help" in python("reprot").stderr


def test_an_ascii_terminal(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG.replace("web", "wéb 😀").replace("ann", "änn"), encoding="utf-8")
    done = python(
        "report", path, *ROLES, "--goal", "buy", env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert done.stderr == b""
    text = done.stdout.decode("ascii")
    assert "w\\xe9b \\U0001f600" in text
    assert "###" in text


def test_a_reader_who_has_had_enough():
    with subprocess.Popen(
        [sys.executable, "-m", "cxkit", "demo", "--customers", "300"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_real_touchpoints(capsys, tmp_path):
    path = shared("data/attribution-touchpoints/attribution_data.csv.gz")
    page = tmp_path / "out.html"
    assert (
        run(
            "report",
            path,
            "--customer",
            "customer_id",
            "--time",
            "time",
            "--channel",
            "channel",
            "--event",
            "interaction",
            "--value",
            "conversion_value",
            "--goal",
            "conversion",
            "--html",
            page,
            "--width",
            "100",
        )
        == 0
    )
    out, err = capsys.readouterr()
    assert err == ""
    lines = {" ".join(line.split()) for line in out.split("\n")}
    assert {
        "rows read 62,483",
        "rows rejected 0",
        "customers 7,896",
        "channels 5",
        "conversions 1,838",
        "value of conversions 11,423.50",
    } <= lines
    last = {"Facebook": 561, "Paid Search": 457, "Online Video": 350, "Instagram": 237}
    for channel, count in (last | {"Online Display": 233}).items():
        # The label, first touch, last touch.
        assert re.search(rf"^{channel} +\d+\.\d +{count}\.0 ", out, re.MULTILINE)
    read = check_page(page.read_text(encoding="utf-8"))
    assert not [text for text in read.texts if "http://" in text or "https://" in text]
