"""Traffic providers, as pure functions: what shall be there, what was seen, and how that stands.

model      RouterSeen: one look at the objects that split the traffic; Standing, Judgement
judge      is the intended split in force?
seen       ProviderSeen: what the rollout is told
status     from RouterSeen to ProviderSeen and to status; when the router may be written
"""

from feedbackloop.domain.traffic.judge import judge
from feedbackloop.domain.traffic.model import Judgement, RouterSeen, Standing
from feedbackloop.domain.traffic.seen import ProviderSeen
from feedbackloop.domain.traffic.status import STRIKES, may_write, provider_seen, provider_status

__all__ = [
    "STRIKES",
    "Judgement",
    "ProviderSeen",
    "RouterSeen",
    "Standing",
    "judge",
    "may_write",
    "provider_seen",
    "provider_status",
]
