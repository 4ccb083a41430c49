"""The rollout of a gated candidate: one pure step, from status and observation to the next status.

`advance` asks small named rules in the order of their priority, until none has anything to change:
`bookkeeping` what was observed · `evidence` looks and harm · `abort` taking back · `guardrails` ·
`stability` an unavailable canary · `limits` deadlines · `holds` what freezes the steps · `capacity`
the canary's replicas · `steps` · `promotion` · `conditions` what people see.
"""

from __future__ import annotations

from feedbackloop.domain.rollout.advance import advance, begin
from feedbackloop.domain.rollout.model import ActionAnswer, ActionSeen, Advance, ArmObserved, RolloutObservation

__all__ = ["ActionAnswer", "ActionSeen", "Advance", "ArmObserved", "RolloutObservation", "advance", "begin"]
