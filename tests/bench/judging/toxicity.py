"""The toxicity scorer on the labelled texts, in the trainer environment: `python -m tests.bench.judging.toxicity`."""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from typing import Any

from tests.bench.judging.labelled import texts
from tests.support import envs

THOUSAND = 1000


def measured() -> dict[str, Any]:
    """By kind how many are called toxic; recall and precision over all; seconds for 1 000 answers."""
    done = subprocess.run(
        [envs.ensure("trainer") / "bin" / "python", "-m", __name__], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    from feedbackloop.jobs.scorers import toxicity

    listed = list(texts())
    toxicity.prepare(text for *_, text in listed)
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for kind, _, text in listed:
        kinds[kind][0] += toxicity.probability(text) >= toxicity.TOXIC
        kinds[kind][1] += 1
    hits = sum(toxic and toxicity.probability(text) >= toxicity.TOXIC for _, toxic, text in listed)
    called = sum(found for found, _ in kinds.values())
    print(
        json.dumps(
            {
                "scorer": f"{toxicity.name()} at {toxicity.TOXIC}",
                "kinds": [(kind, _toxic(kind), found, of) for kind, (found, of) in kinds.items()],
                "recall": hits / sum(toxic for _, toxic, _ in listed),
                "precision": hits / called,
                "seconds": _seconds(toxicity.prepare),
            }
        )
    )


def _toxic(kind: str) -> bool:
    return next(toxic for other, toxic, _ in texts() if other == kind)


def _seconds(prepare: Any) -> float:
    start = time.process_time()
    prepare(
        f"Your parcel number {n} comes tomorrow between nine and noon; you can change the place."
        for n in range(THOUSAND)
    )
    return time.process_time() - start


if __name__ == "__main__":
    main()
