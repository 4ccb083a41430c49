"""What wakes a loop."""

from __future__ import annotations

from feedbackloop.adapters.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    FEEDBACK_LOOP,
    IMPROVEMENT_RUN,
    SERVICE,
    STATEFUL_SET,
    Kind,
)
from feedbackloop.api import LABEL_LOOP
from feedbackloop.controllers.loop.wakes import WAKES
from feedbackloop.engine.watch import KeysOf, Watch, by_label, by_name, several

_OWNED = by_label(FEEDBACK_LOOP.kind, LABEL_LOOP)


def _watch(kind: Kind, keys: KeysOf, *, only_ours: bool = False) -> Watch:
    labels: dict[str, str | None] = {LABEL_LOOP: None} if only_ours else {}
    return Watch(kind.group, kind.version, kind.plural, kind.kind, keys, labels)


WATCHES: tuple[Watch, ...] = (
    _watch(FEEDBACK_LOOP, several(by_name, WAKES.keys)),
    _watch(IMPROVEMENT_RUN, several(by_name, _OWNED, WAKES.keys)),
    _watch(DEPLOYMENT, several(_OWNED, WAKES.keys)),
    _watch(STATEFUL_SET, _OWNED, only_ours=True),
    _watch(CONFIG_MAP, _OWNED, only_ours=True),
    _watch(SERVICE, _OWNED, only_ours=True),
)
