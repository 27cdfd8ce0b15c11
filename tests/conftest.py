"""How hypothesis runs, in every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A loaded machine must not fail a law: no deadline. In CI the examples are the same every time.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
# On other versions of what they need, fewer random examples of each law will do.
settings.register_profile("versions", settings.get_profile("ci"), max_examples=25)
settings.load_profile(
    os.environ.get("CXKIT_TEST_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)
