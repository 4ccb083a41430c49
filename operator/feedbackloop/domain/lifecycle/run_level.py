"""The level that the online procedure over the loop's life gives to this run's decision.

The rule is the pinned one: an alpha that is changed once votes were seen is for the next run.
"""

from __future__ import annotations

from feedbackloop.api.feedbackloop import LifetimeStatus
from feedbackloop.api.rollout import Rollout
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.lifetime import next_level
from feedbackloop.domain.statistics.numerals import numeral


def level(seen: RunSeen, rules: Rollout | None) -> str | None:
    """None: this run is judged alone. The counts change only when a run ends, so they hold while one is active."""
    if rules is None or rules.lifetime is None:
        return None
    stands = (seen.loop.status.lifetime if seen.loop else None) or LifetimeStatus()
    return numeral(next_level(rules.lifetime, stands.decisions, stands.promotions))
