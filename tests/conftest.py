"""What all layers share: how Hypothesis looks for counter-examples.

A busy machine is no counter-example, so nothing here depends on speed. In CI the examples are fixed, so that a
red run is about the change; at home they differ with each run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "project", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")
