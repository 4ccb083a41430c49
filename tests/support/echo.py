"""The real process of the operator with a controller of ten lines: `python -m tests.support.echo`.

For every ImprovementRun it keeps a ConfigMap `<run>-echo` with the run's label `value`. Tests of the
engine use it, so that they test `feedbackloop.__main__` and nothing of the controllers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from types import ModuleType

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import CONFIG_MAP, IMPROVEMENT_RUN
from feedbackloop.api import GROUP, LABEL_LOOP, VERSION
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.engine.keys import Key
from feedbackloop.engine.reconciler import Reconciler
from feedbackloop.engine.watch import Watch, by_name, by_owner

RUN = IMPROVEMENT_RUN.kind


class Echo:
    """Applies the ConfigMap of a run when it is not as it should be."""

    kind = RUN

    def __init__(self, adapters: Adapters) -> None:
        self._kubernetes = adapters.kubernetes

    async def reconcile(self, key: Key, now: datetime) -> float | None:
        run = await self._kubernetes.get(IMPROVEMENT_RUN, key.namespace, key.name)
        if run is None or "deletionTimestamp" in run["metadata"]:
            return None
        value = run["metadata"].get("labels", {}).get("value", "")
        found = await self._kubernetes.get(CONFIG_MAP, key.namespace, f"{key.name}-echo")
        if found is None or found.get("data") != {"value": value}:
            await self._kubernetes.apply(self._config_map(run, value))
        return None

    def _config_map(self, run: dict[str, object], value: str) -> dict[str, object]:
        metadata = run["metadata"]
        assert isinstance(metadata, dict)
        owner = {"apiVersion": run["apiVersion"], "kind": RUN, "name": metadata["name"], "uid": metadata["uid"]}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"{metadata['name']}-echo",
                "namespace": metadata["namespace"],
                "labels": {LABEL_LOOP: "echo"},
                "ownerReferences": [{**owner, "controller": True}],
            },
            "data": {"value": value},
        }


def build(adapters: Adapters, config: AdminConfig) -> Sequence[Reconciler]:
    return [Echo(adapters)]


WATCHES = [
    Watch(GROUP, VERSION, IMPROVEMENT_RUN.plural, RUN, by_name),
    Watch("", "v1", "configmaps", "ConfigMap", by_owner(RUN), {LABEL_LOOP: None}),
]


def main() -> int:
    """`feedbackloop.__main__` with these controllers in the place of the real ones."""
    module = ModuleType("feedbackloop.controllers")
    module.__dict__.update(build=build, WATCHES=WATCHES)
    sys.modules["feedbackloop.controllers"] = module
    import feedbackloop
    from feedbackloop.__main__ import main as operator

    feedbackloop.controllers = module
    return operator()


if __name__ == "__main__":
    sys.exit(main())
