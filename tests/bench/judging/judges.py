"""The harness against judges that err on purpose: a real HTTP server whose verdicts are made up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from feedbackloop.api.jobs import JudgeQuality, JudgeRef
from feedbackloop.domain.statistics.prediction_powered import NetWins, net_wins
from feedbackloop.events.records import Message
from feedbackloop.jobs.judging import Judge, Pair, Preference, advisory
from feedbackloop.jobs.judging.client import Client
from feedbackloop.jobs.judging.labels import Label
from tests.support.fake_judge import FakeJudge, serving

LABELS, PAIRS, ALPHA = 120, 1000, 0.05
JUDGES: dict[str, dict[str, float]] = {
    "fair": {},
    "answers at random, 10 %": {"noise": 0.1},
    "answers at random, 40 %": {"noise": 0.4},
    "takes the first, 20 %": {"position": 0.2},
    "takes the first, 60 %": {"position": 0.6},
    "takes the first, always": {"position": 1.0},
    "takes the longer, 20 %": {"length": 0.2},
    "takes the longer, 60 %": {"length": 0.6},
    "leans to the candidate, 20 %": {"favour": 0.2},
    "leans to the candidate, 60 %": {"favour": 0.6},
    "chats instead of JSON, 30 %": {"garbage": 0.3},
}


@dataclass(frozen=True)
class Found:
    """What is found out about a judge, and what it says of pairs in which neither model is better."""

    name: str
    quality: JudgeQuality
    advisory: str
    wins: int
    losses: int
    net: NetWins
    seconds: float
    """For 1 000 pairs, in both orders; the server answers at once."""


def measured() -> list[Found]:
    return [_judge(name, errs) for name, errs in JUDGES.items()]


def _judge(name: str, errs: dict[str, Any]) -> Found:
    labels = tuple(Label(*_pair("l", n)) for n in range(LABELS))
    pairs = [_pair("p", n)[0] for n in range(PAIRS)]
    with serving(FakeJudge(**errs)) as url:
        ref = JudgeRef(url=url, model="fake-judge", family="none", labels_object="", labels_digest="")
        judge = Judge(ref, labels, Client(url, "fake-judge").ask)
        quality = judge.calibrate()
        start = time.monotonic()
        said = [comparison.preference for comparison in judge.compare(pairs)]
        seconds = time.monotonic() - start
    wins, losses = said.count(Preference.WIN), said.count(Preference.LOSS)
    net = net_wins(quality.table, wins, losses, PAIRS - wins - losses, ALPHA)
    return Found(name, quality, advisory(ref, quality), wins, losses, net, seconds)


def _pair(series: str, number: int) -> tuple[Pair, Preference]:
    """Wins, losses and ties in turn, so that chance favours nobody; the candidate's is longer in two of three."""
    champion, candidate = ((1, 5), (5, 1), (3, 3))[number % 3]
    longer = number // 3 % 3 < 2
    name = f"{series}{number}"
    texts = [f"[{champion}] champion {name}", f"[{candidate}] candidate {name}"]
    texts[longer] += " and so on"
    pair = Pair(name, (Message("user", f"Question {name}?"),), *texts)
    return pair, Preference((candidate > champion) - (candidate < champion))
