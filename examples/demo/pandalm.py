"""Real human input: 999 pairs of answers with three human votes each, sent exactly as the file holds them.

The data set is PandaLM's human-annotated test set (Apache-2.0). Some rows are malformed; the gateway must
say so, and keep them.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from examples.demo.narrate import Narrator
from examples.demo.record import Acknowledged
from examples.demo.settings import ROOT
from examples.demo.users import TIMEOUT, Endpoints, post_events, uuid7

VOTES = {0: "tie", 1: "a", 2: "b"}
RATERS = ("annotator1", "annotator2", "annotator3")


def data_file() -> Path:
    folder = os.environ.get("PANDALM_DATA", str(ROOT.parent / "shared" / "data" / "pandalm"))
    return Path(folder) / "testset-v1.json"


@dataclass
class PandaTraffic:
    """One interaction with two outputs and three raters for each item of the file."""

    endpoints: Endpoints
    acknowledged: Acknowledged
    narrator: Narrator
    concurrency: int = 16
    sent: int = 0
    refused: list[int] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @staticmethod
    def available() -> bool:
        return data_file().exists()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        items: list[dict[str, Any]] = json.loads(data_file().read_text(encoding="utf-8"))
        self.narrator.say("users", f"sending {len(items)} items with three votes each, as the file holds them")
        slots = asyncio.Semaphore(self.concurrency)
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http:

            async def one(item: dict[str, Any]) -> None:
                async with slots:
                    await self._item(http, item)

            await asyncio.gather(*(one(item) for item in items))
        self.narrator.say("users", f"all sent; the gateway refused the malformed items {sorted(self.refused)}")

    async def _item(self, http: aiohttp.ClientSession, item: dict[str, Any]) -> None:
        async with http.post(
            f"{self.endpoints.app}/v1/interactions",
            json=interaction(item),
            headers={"Authorization": f"Bearer {self.endpoints.app_token}"},
        ) as response:
            answer = await response.json()
            if response.status != 202:
                return self._refused(item, answer)
        for output in outputs(item):
            self.acknowledged.output(str(output["output_id"]))
        for token in answer["tokens"]:
            await post_events(http, self.endpoints, token["token"], [vote(item, token["rater"])], self.acknowledged)
        self.sent += 1
        return None

    def _refused(self, item: dict[str, Any], answer: dict[str, Any]) -> None:
        self.refused.append(item["idx"])
        row = answer.get("error", {}).get("bad_row_id")
        if row:
            self.acknowledged.bad_row(str(row))


def outputs(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"output_id": f"panda-{item['idx']}-{n}", "content": item[f"response{n}"]} for n in (1, 2)]


def interaction(item: dict[str, Any]) -> dict[str, Any]:
    prompt = item["instruction"] + ("\n\n" + item["input"] if item["input"] else "")
    return {
        "event_id": uuid7(),
        "session_id": f"panda-{item['idx']}",
        "messages": [{"role": "user", "content": prompt}],
        "outputs": outputs(item),
        "raters": list(RATERS),
        "consent": {"train": True},
    }


def vote(item: dict[str, Any], rater: str) -> dict[str, object]:
    candidates = [{"output_id": o["output_id"], "position": n} for n, o in enumerate(outputs(item))]
    return {"event_id": uuid7(), "signal": "prefer", "value": VOTES[item[rater]], "candidates": candidates}
