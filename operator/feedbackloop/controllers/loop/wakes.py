"""Which loops a foreign object concerns: their targets and runs, so that a change there wakes the loop at once.

A hint, never a truth: it is empty after a restart, and then a loop finds out at its next look.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedbackloop.adapters.kinds import DEPLOYMENT, IMPROVEMENT_RUN
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation
from feedbackloop.engine.keys import Key
from feedbackloop.engine.watch import Seen


class Wakes:
    """From the key of an object to the keys of the loops that it concerns."""

    def __init__(self) -> None:
        self._objects: dict[Key, frozenset[Key]] = {}
        """What each loop looks at."""

    def learn(self, loop: Key, seen: LoopObservation) -> None:
        """Remember what this loop looks at."""
        spec = seen.loop.spec
        targets = {Key(DEPLOYMENT.kind, loop.namespace, spec.target.deployment_name)} if spec else set()
        runs = {Key(IMPROVEMENT_RUN.kind, loop.namespace, run.name) for run in seen.runs}
        rivals = {Key(loop.kind, loop.namespace, o.name) for o in seen.others if spec and o.target in _names(targets)}
        self._objects[loop] = frozenset(targets | runs | rivals)

    def forget(self, loop: Key) -> None:
        """The loop is gone."""
        self._objects.pop(loop, None)

    def keys(self, seen: Seen) -> Iterable[Key]:
        """The loops that look at the object which changed."""
        changed = Key(seen.kind, seen.namespace, seen.name)
        return tuple(loop for loop, objects in self._objects.items() if changed in objects)


def _names(keys: Iterable[Key]) -> set[str]:
    return {key.name for key in keys}


WAKES = Wakes()
"""One for the process: the watches are declared before any reconciler is built."""
