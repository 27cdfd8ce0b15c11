"""Identity: which identifiers are one customer, and what is known of each.

:func:`stitch` joins pairs of identifiers into an :class:`Identity`, with guards against joining
strangers; :class:`CustomerView` says how much of a customer is known; :func:`erase` forgets one;
:class:`Pseudonyms` hides who they are.
"""

from __future__ import annotations

from cxkit.identity.blocked import BLOCKED
from cxkit.identity.erase import Traces, erase, traces
from cxkit.identity.explain import Explanation, Provenance, Refused
from cxkit.identity.guards import Rules
from cxkit.identity.identity import Identity
from cxkit.identity.pseudonyms import Pseudonyms
from cxkit.identity.stitch import stitch
from cxkit.identity.view import CustomerView, Facet, Views, seen_in

__all__ = [
    "BLOCKED",
    "CustomerView",
    "Explanation",
    "Facet",
    "Identity",
    "Provenance",
    "Pseudonyms",
    "Refused",
    "Rules",
    "Traces",
    "Views",
    "erase",
    "seen_in",
    "stitch",
    "traces",
]
