"""How hypothesis runs, in every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A loaded machine must not fail a law: no deadline. In CI the examples are the same every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")
