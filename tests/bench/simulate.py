"""`make bench-simulate`: 90 days and 100 000 events of a recorded log through a rollout policy, in seconds.

The log is seeded: sessions with a daily swing, one to three answers, two thirds of them rated. The policy is the
support bot's with the times of production; `cpu` is what it costs where other work shares the cores.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from feedbackloop.api.collection import Signal
from feedbackloop.api.rollout import Rollout
from feedbackloop.cli.simulation.crowd import Crowd
from feedbackloop.cli.simulation.drive import Simulation
from feedbackloop.cli.simulation.log import read

DAYS, EVENTS, START = 90, 100_000, 1_798_761_600
GOAL_SECONDS = 60.0
SIGNALS = (Signal.model_validate({"name": "helpful", "kind": "Thumbs", "dimension": "Satisfaction"}),)


def events(seed: int = 5, days: int = DAYS, count: int = EVENTS, down: float = 0.1) -> Iterator[dict[str, Any]]:
    """`count` lines over so many days, session after session."""
    chosen, made = random.Random(seed), 0
    while made < count:
        at = START + _moment(chosen, days)
        session = f"s{made}"
        for _ in range(chosen.choice((1, 1, 2, 3))):
            line = {"t": round(at, 3), "session": session, "latency_ms": round(chosen.lognormvariate(6, 0.5))}
            yield line | ({"error": True} if chosen.random() < 0.002 else {})
            made, at = made + 1, at + chosen.expovariate(1 / 60)
        if chosen.random() < 2 / 3:
            yield {"t": round(at, 3), "session": session, "signal": "helpful", "value": chosen.random() >= down}
            made += 1


def _moment(chosen: random.Random, days: int) -> float:
    """Fewer at night."""
    while True:
        at = chosen.random() * days * 86_400
        if chosen.random() < 0.6 + 0.4 * math.sin(2 * math.pi * at / 86_400):
            return at


def policy(**changes: Any) -> Rollout:
    """It has the whole log for its decision: nothing ends it before."""
    return Rollout.model_validate(
        {
            "steps": [
                {"setWeight": 1},
                {"analysis": {}},
                {"setWeight": 50},
                {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
            ],
            "outcomes": [
                {
                    "name": "downvotes",
                    "signal": "helpful",
                    "attributionWindowSeconds": 21_600,
                    "minRatedUnits": 200,
                    "nonInferiority": {"ratio": "1.05", "alpha": "0.001"},
                }
            ],
            "guardrails": [
                {"name": "errors", "metric": "ErrorRate", "maxRatio": "0.05", "minRequests": 50},
                {"name": "slow", "metric": "LatencyP95", "maxMilliseconds": 4000, "minRequests": 50},
            ],
            "maxDurationSeconds": (DAYS + 1) * 86_400,
        }
        | changes
    )


def write(file: Path, **how: Any) -> None:
    with gzip.open(file, "wt") as out:
        out.writelines(f"{json.dumps(line)}\n" for line in events(**how))


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "events.jsonl.gz"
        write(log)
        wall, cpu = time.perf_counter(), time.process_time()
        spec = policy()
        done = Simulation(spec, Crowd(read(log), spec.outcomes, SIGNALS, effect=1.0), SIGNALS)
        done.run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figure = {"figure": "simulate.90d_100k_s", "value": round(wall, 2), "unit": "s", "goal": f"<{GOAL_SECONDS:g}"}
    facts = {"cpu": round(cpu, 2), "days": round(done.days, 1), "looks": len(done.status.looks)}
    outcome = done.outcome.value if done.outcome else None
    print(json.dumps({**figure, **facts, "outcome": outcome, "load": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
