"""The command line: ``python -m cxkit report FILE ...`` and ``python -m cxkit demo``."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from cxkit.core.vocabulary import Label, Vocabulary
from cxkit.errors import CxError, CxWarning, DefinitionError
from cxkit.report.terminal import encodable

__all__ = ["main"]

_FAILED: Final = 2
_INTERRUPTED: Final = 130

_EXAMPLES: Final = """examples:
  python -m cxkit demo --html demo.html
  python -m cxkit report events.csv --customer user --time ts --channel channel \\
      --event event --value revenue --goal purchase --campaign utm_campaign --html report.html
"""
_REPORT_HELP: Final = """what is what:
  One row of FILE is one touchpoint of one customer: who (--customer), when (--time), where
  (--channel), what happened (--event), and what it was worth (--value), if anything. --goal is the
  event that you want to happen. Rows that cannot be used are counted and named in the report.

examples:
  python -m cxkit report events.csv --customer user --time ts --channel channel --event event \\
      --goal purchase
  python -m cxkit report log.parquet --customer id --time at --channel source --event name \\
      --value revenue --goal order --lookback 30d --html report.html --json report.json
  python -m cxkit report clicks.csv.gz --customer uid --time epoch --time-unit ms --channel page \\
      --event action --goal signup --funnel visit form signup
"""


class _Parser(argparse.ArgumentParser):
    """Errors on one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the arguments and leave."""
        _complain(f"{message}; see {self.prog} --help")
        raise SystemExit(_FAILED)


class _Version(argparse.Action):
    """Look the version up only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Print and leave."""
        try:
            version = importlib.metadata.version("cxkit")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed, run from its source)"
        print(f"cxkit {version}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the program's name; those of the process by default.

    Returns:
        The exit code: 0, or 2 after an error, which is told on one line of stderr.
    """
    options = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", CxWarning)
            warnings.showwarning = _warn
            text = _report(options) if options.command == "report" else _demo(options)
        _print(text)
    except BrokenPipeError:
        # Whoever read this (head, less) has had enough. Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CxError, OSError) as error:
        _complain(str(error))
        return _FAILED
    except KeyboardInterrupt:
        _complain("interrupted")
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    shape: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    own = "python -m cxkit" if Path(sys.argv[0]).name == "__main__.py" else "cxkit"
    parser = _Parser(
        prog=own,
        description="An event log in, a customer-experience report out.",
        epilog=_EXAMPLES,
        **shape,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    report = commands.add_parser(
        "report",
        help="report on an event log of your own",
        description="Read an event log and report on its customers' journeys.",
        epilog=_REPORT_HELP,
        **shape,
    )
    _add_roles(report)
    _add_analysis(report)
    demo = commands.add_parser(
        "demo",
        help="report on a simulated retailer",
        description="Simulate a retailer's customers and report on them.",
        epilog="example:\n  python -m cxkit demo --customers 5000 --html demo.html\n",
        **shape,
    )
    demo.add_argument("--customers", type=int, default=2000, metavar="N", help="default: 2000")
    demo.add_argument("--seed", type=int, default=1, help="the same seed, the same customers")
    for each in (report, demo):
        each.add_argument("--html", type=Path, metavar="OUT", help="also write one HTML file")
        each.add_argument("--json", type=Path, metavar="OUT", help="also write all numbers as JSON")
        each.add_argument(
            "--width", type=int, metavar="COLUMNS", help="of the text; default: the terminal's"
        )
    return parser


def _add_roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help=".csv, .tsv, .jsonl (also .gz) or .parquet")
    roles = parser.add_argument_group("columns of FILE")
    roles.add_argument("--customer", required=True, metavar="COLUMN", help="who")
    roles.add_argument("--time", required=True, metavar="COLUMN", help="when")
    roles.add_argument("--channel", required=True, metavar="COLUMN", help="where")
    roles.add_argument("--event", required=True, metavar="COLUMN", help="what happened")
    roles.add_argument("--value", metavar="COLUMN", help="money of outcomes")
    roles.add_argument("--campaign", metavar="COLUMN", help="campaign, for value per visit")
    reading = parser.add_argument_group("how FILE is read")
    reading.add_argument("--tz", metavar="ZONE", help="zone of times without one, such as UTC")
    reading.add_argument(
        "--time-unit", choices=["s", "ms", "us", "ns"], help="of times that are numbers"
    )
    reading.add_argument("--time-format", metavar="PATTERN", help="such as '%%d.%%m.%%Y %%H:%%M'")
    reading.add_argument(
        "--null", action="append", default=[], metavar="TEXT", help="means missing; may be repeated"
    )
    reading.add_argument("--delimiter", metavar="SIGN", help="between fields; found out by default")
    reading.add_argument("--encoding", default="utf-8-sig", help="default: UTF-8")


def _add_analysis(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is counted")
    group.add_argument(
        "--goal", required=True, metavar="EVENT", help="the event that is a conversion"
    )
    group.add_argument(
        "--lookback", metavar="SPAN", help="credit reaches back this far, such as 30d"
    )
    group.add_argument(
        "--gap", default="30min", metavar="SPAN", help="a longer pause ends a visit; default: 30min"
    )
    group.add_argument(
        "--exclude-goal-touch",
        action="store_true",
        help="the touchpoint of the conversion itself earns no credit",
    )
    group.add_argument("--funnel", nargs="+", metavar="EVENT", help="steps; default: from the data")
    group.add_argument(
        "--at", metavar="INSTANT", help="scores as of then; default: last touchpoint"
    )
    group.add_argument("--title", help="heading of the report")


def _report(options: argparse.Namespace) -> str:
    from cxkit.interop.files import read_events
    from cxkit.report import report

    _check_outputs(options, Path(options.file))
    columns = {} if options.campaign is None else {"campaign": options.campaign}
    source = read_events(
        options.file,
        customer=options.customer,
        time=options.time,
        event=options.event,
        channel=options.channel,
        value=options.value,
        columns=columns,
        tz=options.tz,
        time_unit=options.time_unit,
        time_format=options.time_format,
        null_values=["", *options.null],
        delimiter=options.delimiter,
        encoding=options.encoding,
        progress=True,
    )
    events = source.journeys.event.vocabulary
    made = report(
        source,
        goal=_as_label(options.goal, events),
        lookback=options.lookback,
        session_gap=options.gap,
        goal_is_touch=not options.exclude_goal_touch,
        funnel=options.funnel and [_as_label(step, events) for step in options.funnel],
        at=options.at,
        title=options.title or f"Customer journeys to {options.goal!r}: {Path(options.file).name}",
        progress=True,
    )
    return _write(made, options)


def _demo(options: argparse.Namespace) -> str:
    from cxkit.model.ingest import ingest
    from cxkit.report import report
    from cxkit.simulate import retail

    _check_outputs(options, None)
    world = retail(options.customers, rng=options.seed)
    roles = {role: role for role in ("customer", "time", "event", "channel", "value")}
    source = ingest(world.table, **roles, columns=("campaign",), tz="UTC", progress=True)
    made = report(
        source,
        goal="purchase",
        title=f"Demo: {options.customers:,} simulated customers of a retailer",
        progress=True,
    )
    return _write(made, options)


def _write(made: Any, options: argparse.Namespace) -> str:
    if options.html is not None:
        options.html.write_text(made.html(), encoding="utf-8", newline="\n")
    if options.json is not None:
        options.json.write_text(made.to_json(), encoding="utf-8", newline="\n")
    width = options.width or shutil.get_terminal_size((80, 24)).columns
    told = [f"wrote {path}" for path in (options.html, options.json) if path is not None]
    return (
        str(made.text(width=width)) + "".join(f"\n{line}" for line in told) + ("\n" if told else "")
    )


def _check_outputs(options: argparse.Namespace, source: Path | None) -> None:
    """Refuse at once what would fail, or destroy something, after all the work."""
    for path in (options.html, options.json):
        if path is None:
            continue
        if not path.parent.is_dir():
            raise DefinitionError(
                f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}"
            )
        if path.is_dir():
            raise DefinitionError(f"cannot write {str(path)!r}: it is a folder")
        if source is not None and source.exists() and path.exists() and path.samefile(source):
            raise DefinitionError(f"cannot write {str(path)!r}: it is the file that is read")
    if options.html is not None and options.html == options.json:
        raise DefinitionError("--html and --json name the same file")


def _as_label(text: str, vocabulary: Vocabulary) -> Label:
    """The label meant: in a column of whole numbers, ``3`` is the number."""
    if text in vocabulary or vocabulary.labels.dtype.kind != "i":
        return text
    try:
        return int(text)
    except ValueError:
        return text


def _complain(message: str) -> None:
    sys.stderr.write(encodable(f"error: {' '.join(message.split())}\n", sys.stderr.encoding))


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    sys.stderr.write(encodable(f"warning: {' '.join(str(message).split())}\n", sys.stderr.encoding))


def _print(text: str) -> None:
    sys.stdout.write(encodable(text, sys.stdout.encoding))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
