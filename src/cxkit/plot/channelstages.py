"""Channels by stages: which channel has run ahead, and which lags behind."""

from __future__ import annotations

import attrs
import numpy as np

from cxkit.errors import DefinitionError
from cxkit.maturity.channels import ChannelMaturity
from cxkit.plot.grids import grid
from cxkit.plot.picture import Drawn, Picture, page
from cxkit.plot.scene import Scene
from cxkit.plot.words import show_share

__all__ = ["ChannelStagesPicture", "channel_stages"]


def channel_stages(found: ChannelMaturity) -> ChannelStagesPicture:
    """A picture of the attainment of every stage in every channel.

    Args:
        found: What :func:`cxkit.maturity.assess_channels` returned.

    Raises:
        DefinitionError: It was made of levels alone, so there is no attainment to draw.

    Example:
        >>> import cxkit as cx
        >>> model = cx.MaturityModel.builtin("cx-seven-stage")
        >>> found = cx.maturity.assess_channels(model, {"web": {"rad.owner": 1}, "store": {}})
        >>> channel_stages(found).data().columns()["radiate"].round(2).tolist()
        [0.33, 0.0]
    """
    return ChannelStagesPicture(found)


@attrs.frozen(eq=False, repr=False)
class ChannelStagesPicture(Picture):
    """A picture of channels by stages.

    Attributes:
        found: What it draws.
    """

    found: ChannelMaturity

    def __attrs_post_init__(self) -> None:
        """Check that there is something to draw."""
        if self.found.assessments is None:
            raise DefinitionError(
                "these levels were given, not assessed, so the attainment of the stages is not "
                "known; make them with cxkit.maturity.assess_channels"
            )

    def data(self) -> Drawn:
        """One row per channel, one column per stage above the base."""
        assessments = self.found.assessments
        assert assessments is not None  # noqa: S101  # checked when it was made
        stages = [stage.id for stage in assessments.model.stages[1:]]
        columns = dict(zip(stages, assessments.attainment.T, strict=True))
        return Drawn(
            named={"channel": self.found.channel, "level": self.found.level, **columns},
            heading="Stages by channel",
            said=(
                "share: attainment of the stage; dashed: the next stage of the channel",
                *self.found.notes(),
            ),
        )

    def scene(self) -> Scene:
        """A cell for each channel and stage; the level beside the name."""
        assessments = self.found.assessments
        assert assessments is not None  # noqa: S101  # checked when it was made
        model = assessments.model
        stages = [stage.id for stage in model.stages[1:]]
        numbers = np.array([stage.n for stage in model.stages[1:]])
        marked = numbers[None, :] == self.found.level[:, None] + 1
        names = [
            f"{name}  level {level}"
            for name, level in zip(self.found.channel, self.found.level.tolist(), strict=True)
        ]
        told = [[show_share(v) for v in row] for row in assessments.attainment.tolist()]
        shapes, width, height = grid(
            names, stages, assessments.attainment, told, marked=marked, wide=58.0
        )
        return page(shapes, width, height, self.data(), f"{len(names)} channels.")
