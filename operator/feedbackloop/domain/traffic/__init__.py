"""Traffic providers, as pure functions: what shall be there, what was seen, and how that stands.

model      ProviderSeen, Standing, Judgement
judge      is the intended split in force?
status     what status keeps of it
"""

from feedbackloop.domain.traffic.judge import judge
from feedbackloop.domain.traffic.model import Judgement, ProviderSeen, Standing
from feedbackloop.domain.traffic.status import STRIKES, may_write, provider_status

__all__ = ["STRIKES", "Judgement", "ProviderSeen", "Standing", "judge", "may_write", "provider_status"]
