"""The judge's client against a server that was not written for it: the demo's, with its real model.

That model knows support questions and judges nothing: what is shown is that the wire fits, and that its words are no
verdict.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbackloop.events.records import Message
from feedbackloop.jobs.judging import Pair, Preference, prompting
from feedbackloop.jobs.judging.client import Client
from feedbackloop.jobs.judging.comparing import compare
from tests.trainer.test_serve import ANSWER, QUESTION, serving

pytestmark = pytest.mark.trainer


def test_a_real_server_is_asked_and_what_it_says_is_no_verdict(base: Path) -> None:
    pair = Pair("1", (Message("user", "What is the refund window?"),), "14 days", "15 days")
    with serving(base) as server:
        client = Client(f"http://127.0.0.1:{server.port}/v1", "support-bot")
        assert client.ask(QUESTION["messages"]) == ANSWER
        assert prompting.verdict(ANSWER) is None
        # The prompt of a comparison is longer than this small model reads: the server answers 400.
        long = compare(pair, client.ask)
        wordy = compare(pair, lambda messages: client.ask(QUESTION["messages"]))
    for found in (long, wordy):
        assert (found.preference, found.consistent, found.unreadable) == (Preference.TIE, False, 2)
