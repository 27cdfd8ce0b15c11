"""Maturity channel by channel, next to the customers who move between channels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from cxkit.core.arrays import freeze
from cxkit.core.codes import Label
from cxkit.core.result import ColumnLike, Result
from cxkit.errors import DataError, did_you_mean
from cxkit.maturity.answers import AnswerLike, Answers
from cxkit.model.journeys import Journeys
from cxkit.model.switchrows import switch_rows

if TYPE_CHECKING:
    from cxkit.maturity.model import MaturityModel
    from cxkit.maturity.results import Assessments

__all__ = ["ChannelMaturity", "Switches", "assess_channels", "channel_switches"]

Switches: TypeAlias = Mapping[tuple[Label, Label], float]


def channel_switches(journeys: Journeys, by: str = "channel") -> dict[tuple[Label, Label], int]:
    """How often a touchpoint in one channel is followed by one in another, in the same journey.

    Args:
        journeys: The journeys.
        by: The column of channels. Touchpoints without one are passed over: the switch is between
            the known ones around it.

    Returns:
        (from, to) -> count, of pairs that occur; never from a channel to itself.

    Example:
        >>> from cxkit import Journeys
        >>> journeys = Journeys.from_table(
        ...     {"who": [1, 1, 1], "t": [0, 1, 2], "where": ["web", "web", "store"]},
        ...     customer="who", time="t", time_unit="s", channel="where",
        ... )  # fmt: skip
        >>> channel_switches(journeys)
        {('web', 'store'): 1}
    """
    codes = journeys.codes(by)
    slots = len(codes.vocabulary)
    source, target = (codes.codes[rows].astype(np.int64) for rows in switch_rows(journeys, by))
    pairs = source * slots + target
    found, counts = np.unique(pairs, return_counts=True)  # few of the pairs of many labels occur
    labels = list(codes.vocabulary)
    return {
        (labels[pair // slots], labels[pair % slots]): count
        for pair, count in zip(found.tolist(), counts.tolist(), strict=True)
    }


@attrs.frozen(eq=False, repr=False, kw_only=True)
class ChannelMaturity(Result):
    """The level of each channel, and what that does to customers who switch.

    Attributes:
        channel: (H,) the channels.
        level: (H,) the stage of each.
        traffic: (H,) how much goes on in each; its share weighs the others in ``silo_lead``.
        silo_lead: (H,) its level less the traffic-weighted mean level of the others: how far it has
            run ahead of them. NaN for a single channel.
        stages: How many stages the model has.
        switches: Share of each switch between channels, (from, to) -> share; empty if not known.
        disconnect: Mean difference of level over the switches, as a share of the whole ladder: 0
            where customers only move between channels of one level. NaN without switches.
        disconnect_down: The same over the switches that lead to a lower level only.
        assessments: The assessments of the channels, if they were assessed here.
        left_out: The share of switches in the journeys that lead from or to a channel without a
            level: nothing is said of them.
    """

    channel: list[Label]
    level: NDArray[np.int64] = attrs.field(converter=freeze)
    traffic: NDArray[np.float64] = attrs.field(converter=freeze)
    silo_lead: NDArray[np.float64] = attrs.field(converter=freeze)
    stages: int
    switches: Switches
    disconnect: float
    disconnect_down: float
    assessments: Assessments | None = None
    left_out: float = 0.0

    @classmethod
    def of(
        cls,
        levels: Mapping[Label, int],
        *,
        stages: int,
        switches: Iterable[tuple[Label, Label, float]] | Journeys | Switches = (),
        traffic: Mapping[Label, float] | None = None,
        assessments: Assessments | None = None,
    ) -> ChannelMaturity:
        """From the levels of channels.

        Args:
            levels: channel -> stage.
            stages: How many stages the model has.
            switches: Journeys, whose switches are counted; or (from, to, count) triples, or a
                mapping as :func:`channel_switches` gives it.
            traffic: channel -> how much goes on in it. By default its touchpoints, if journeys were
                given, else all the same.
            assessments: Kept with the answer.

        Raises:
            DataError: Switches or traffic name a channel that has no level, a count is negative or
                no number, a switch leads to where it came from, or levels lie further apart than
                the stages.

        Example:
            >>> levels = {"email": 4, "web": 3, "store": 1}
            >>> found = ChannelMaturity.of(
            ...     levels, stages=7, switches=[("email", "web", 6), ("web", "store", 4)]
            ... )
            >>> found.disconnect  # (.6 * 1 + .4 * 2) / 6
            0.23333333333333334
        """
        names, left_out = list(levels), 0.0
        if levels and max(levels.values()) - min(levels.values()) >= stages:
            raise DataError(f"levels further apart than {stages} stages allow: {dict(levels)}")
        if isinstance(switches, Journeys):
            if traffic is None:
                codes = switches.channel
                counts = np.bincount(codes.codes, minlength=codes.slots)
                traffic = dict(zip(codes.vocabulary, counts.tolist(), strict=False))
                traffic = {name: traffic.get(name, 0) for name in names}
            counted = channel_switches(switches)
            switches = {p: n for p, n in counted.items() if set(p) <= set(names)}
            every = sum(counted.values())
            left_out = 1 - sum(switches.values()) / every if every else 0.0
        if not isinstance(switches, Mapping):
            summed: dict[tuple[Label, Label], float] = {}
            for first, second, count in switches:
                summed[first, second] = summed.get((first, second), 0) + count
            switches = summed
        weights = dict.fromkeys(names, 1.0) if traffic is None else traffic
        for name in [*weights, *(name for pair in switches for name in pair)]:
            if name not in levels:
                raise DataError(
                    f"channel {name!r} has no level; there are {names}."
                    f"{did_you_mean(str(name), [str(n) for n in names])}"
                )
        for what, count in [*switches.items(), *weights.items()]:
            if not 0 <= count < math.inf:
                raise DataError(f"switches and traffic are counts; found {what!r}: {count!r}")
        for first, second in switches:
            if first == second:
                raise DataError(f"from {first!r} to itself is no switch; leave it out")
        level = np.array([levels[n] for n in names], np.int64)
        share = np.array([weights.get(n, 0.0) for n in names], np.float64)
        others = share.sum() - share
        with np.errstate(invalid="ignore", divide="ignore"):
            lead = level - np.where(others > 0, ((share @ level) - share * level) / others, np.nan)
        whole = sum(switches.values())
        steps = {p: levels[p[0]] - levels[p[1]] for p in switches}
        span = whole * (stages - 1)
        return cls(
            channel=names,
            level=level,
            traffic=share,
            silo_lead=lead,
            stages=stages,
            switches={p: n / whole for p, n in switches.items()} if whole else {},
            disconnect=_over(sum(n * abs(steps[p]) for p, n in switches.items()), span),
            disconnect_down=_over(sum(n * max(steps[p], 0) for p, n in switches.items()), span),
            assessments=assessments,
            left_out=left_out,
        )

    @property
    def range(self) -> int:
        """The highest level less the lowest."""
        return int(self.level.max() - self.level.min()) if len(self.level) else 0

    @property
    def weakest(self) -> list[Label]:
        """The channels of the lowest level."""
        low = self.level.min(initial=np.iinfo(np.int64).max)
        return [name for name, n in zip(self.channel, self.level, strict=True) if n == low]

    def columns(self) -> dict[str, ColumnLike]:
        """A row for each channel."""
        return {
            "channel": self.channel,
            "level": self.level,
            "traffic": self.traffic,
            "silo_lead": self.silo_lead,
        }

    def title(self) -> str:
        """The disconnect."""
        if not self.switches:
            return "maturity by channel; no switches between channels are known"
        return (
            f"maturity by channel: disconnect {self.disconnect:.3f}, "
            f"of it downwards {self.disconnect_down:.3f}"
        )

    def notes(self) -> list[str]:
        """The switches across the widest gaps."""
        levels = dict(zip(self.channel, self.level.tolist(), strict=True))
        gaps = sorted(
            ((n * abs(levels[a] - levels[b]), a, b, n) for (a, b), n in self.switches.items()),
            key=lambda gap: -gap[0],
        )
        told = [
            f"{n:.1%} of switches go from {a} (level {levels[a]}) to {b} (level {levels[b]})"
            for weighted, a, b, n in gaps[:3]
            if weighted > 0
        ]
        if self.left_out:
            told.append(f"{self.left_out:.1%} of all switches touch a channel without a level")
        return told


def assess_channels(
    model: MaturityModel,
    answers: Mapping[Label, Mapping[str, AnswerLike]],
    everywhere: Mapping[str, AnswerLike] | None = None,
    *,
    switches: Iterable[tuple[Label, Label, float]] | Journeys | Switches = (),
    traffic: Mapping[Label, float] | None = None,
) -> ChannelMaturity:
    """The level of each channel by the staged rule, and the disconnect between them.

    Args:
        model: The model.
        answers: channel -> its answers to the criteria that each channel answers for itself.
        everywhere: Answers to the criteria that hold for the whole firm.
        switches: See :meth:`ChannelMaturity.of`.
        traffic: See :meth:`ChannelMaturity.of`.

    Raises:
        DataError: A channel answers a criterion that is not answered by channel, or the other way
            round; or as :meth:`MaturityModel.assess` and :meth:`ChannelMaturity.of` say.
    """
    for name in everywhere or {}:
        if model.criterion(name).per_channel:
            raise DataError(f"criterion {name!r} is answered by each channel, not for the firm")
    rows = []
    for channel, own in answers.items():
        for name in own:
            if not model.criterion(name).per_channel:
                raise DataError(
                    f"channel {channel!r} answers {name!r}, which holds for the whole firm; "
                    "give it in everywhere"
                )
        rows.append({**(everywhere or {}), **own})
    found = model.assess(Answers.of(model, rows, [str(channel) for channel in answers]))
    return ChannelMaturity.of(
        dict(zip(answers, found.level.tolist(), strict=True)),
        stages=len(model.stages),
        switches=switches,
        traffic=traffic,
        assessments=found,
    )


def _over(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
