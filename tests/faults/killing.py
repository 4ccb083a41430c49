"""A gateway that is killed at random moments under load, again and again, and what is left at the end."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from feedbackloop.events.objects import S3Client
from tests.faults.clients import Clients, Record, votes
from tests.faults.zygote import Zygote
from tests.gateway.process import Gateway
from tests.gateway.stored import records, uploaded
from tests.gateway.waiting import wait_for


@dataclass
class Report:
    """The figures of one run."""

    kills: int
    sent: int
    acknowledged: int
    stored: int
    lost: int
    """Acknowledged and not in object storage at the end."""
    twice: int
    """Stored more than once."""
    retries_recognised: int
    seconds: float
    kills_per_minute: float

    def line(self) -> dict[str, object]:
        return {"figure": "faults.random_kills", "value": self.lost + self.twice, "unit": "events", "goal": "0"} | (
            asdict(self)
        )


class Killer:
    """Kills a gateway `kills` times, each at a random moment after it has acknowledged something again."""

    def __init__(
        self,
        gateway: Gateway,
        zygote: Zygote,
        seed: int,
        *,
        env: dict[str, str] | None = None,
        between: Callable[[random.Random], None] = lambda _chance: None,
    ) -> None:
        self._gateway, self._zygote, self._chance = gateway, zygote, random.Random(seed)
        self._env, self._between = env or {}, between

    def spawn(self, **env: str) -> None:
        """Starts it without waiting for it."""
        self._gateway.adopt(self._zygote.spawn(self._gateway, **self._env, **env))

    def start(self) -> None:
        """Starts it and waits until it serves."""
        self.spawn()
        wait_for(self._gateway.is_ready, f"the gateway is ready (log: {self._gateway.log_path})")

    def run(self, kills: int, objects: S3Client, *, strict: bool = True) -> Report:
        """Kills and starts again, so many times; `strict`: every start is held against what clients know."""
        began = time.monotonic()
        self.start()
        tokens = [self._gateway.token(session_id=f"s-{number}") for number in range(4)]
        clients = Clients(self._gateway, tokens)
        with clients.running() as record:
            for _ in range(kills):
                self._kill_under_load(clients)
                known = len(record.acknowledged)
                self._between(self._chance)
                self.start()
                if strict:
                    self.hold(known + len(tokens))
        ended = time.monotonic() - began
        uploaded(self._gateway, 60)
        return self._report(kills, record, votes(records(self._gateway, objects)), ended)

    def die_at(self, place: str, objects: S3Client, *, times: int = 1) -> Report:
        """Lets it kill itself at a failpoint under load, `times` starts in a row, and then go on."""
        began = time.monotonic()
        self.start()
        tokens = [self._gateway.token(session_id=f"s-{number}") for number in range(4)]
        clients = Clients(self._gateway, tokens)
        with clients.running() as record:
            wait_for(clients.acknowledged, "votes are acknowledged")
            os.kill(self._gateway.pid, signal.SIGKILL)
            self._gateway.wait()
            for _ in range(times):
                self.spawn(FL_FAILPOINT=place)
                assert self._gateway.wait() == -signal.SIGKILL, self._gateway.log_path.read_text()
            known = len(record.acknowledged)
            self.start()
            self.hold(known + len(tokens))
            wait_for(lambda: clients.acknowledged() > known, "votes are acknowledged again")
        ended = time.monotonic() - began
        uploaded(self._gateway, 60)
        return self._report(times, record, votes(records(self._gateway, objects)), ended)

    def _kill_under_load(self, clients: Clients) -> None:
        before = clients.acknowledged()
        wait_for(lambda: clients.acknowledged() > before, "votes are acknowledged", 60)
        time.sleep(self._chance.uniform(0, 0.15))  # the random moment itself
        os.kill(self._gateway.pid, signal.SIGKILL)
        self._gateway.wait()

    def hold(self, at_least: int) -> None:
        """The law and the numbers after a start, against what the clients were told before it."""
        status = self._gateway.status()
        assert status["stored"] >= at_least, (status["stored"], at_least)
        assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"]
        wait_for(lambda: self._gateway.status()["lawDifference"] == 0, "the law holds", 10)
        assert list((self._gateway.volume / "quarantine").iterdir()) == []

    def _report(self, kills: int, record: Record, found: list[str], seconds: float) -> Report:
        return Report(
            kills=kills,
            sent=len(record.sent),
            acknowledged=len(record.acknowledged),
            stored=len(found),
            lost=len(record.acknowledged.keys() - set(found)),
            twice=len(found) - len(set(found)),
            retries_recognised=record.duplicates,
            seconds=round(seconds, 1),
            kills_per_minute=round(kills * 60 / seconds, 1),
        )
