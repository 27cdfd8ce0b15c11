"""The sections of a report: each asks one question of the data and answers it in blocks."""

from __future__ import annotations

from cxkit.report.sections.attribution import attribution_section
from cxkit.report.sections.flow import funnel_section, transitions_section
from cxkit.report.sections.friction import friction_section
from cxkit.report.sections.maturity import Maturity, as_maturity, maturity_section
from cxkit.report.sections.overview import overview_section, reading_section
from cxkit.report.sections.paths import paths_section
from cxkit.report.sections.people import people_section
from cxkit.report.sections.planned import planned_section
from cxkit.report.sections.returning import returning_section
from cxkit.report.sections.strategy import strategy_section
from cxkit.report.sections.visits import visits_section

__all__ = [
    "Maturity",
    "as_maturity",
    "attribution_section",
    "friction_section",
    "funnel_section",
    "maturity_section",
    "overview_section",
    "paths_section",
    "people_section",
    "planned_section",
    "reading_section",
    "returning_section",
    "strategy_section",
    "transitions_section",
    "visits_section",
]
