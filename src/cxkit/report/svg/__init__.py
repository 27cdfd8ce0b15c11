"""Pictures as inline SVG: no script, no network, colours from the page's variables."""

from __future__ import annotations

from cxkit.report.svg.bars import draw_bars
from cxkit.report.svg.funnel import draw_funnel
from cxkit.report.svg.heat import draw_heat
from cxkit.report.svg.scatter import draw_scatter

__all__ = ["draw_bars", "draw_funnel", "draw_heat", "draw_scatter"]
