"""The customer-experience report: one call from journeys to text, HTML and JSON.

Example:
    >>> import cxkit as cx
    >>> made = cx.report.report(cx.simulate.retail(200, rng=1).journeys, goal="purchase")
    >>> print(made.title)
    Customer journeys to purchase
"""

from __future__ import annotations

from cxkit.report.build import Report, report

__all__ = ["Report", "report"]
