"""Opened tokens are remembered, within bounds, and never beyond their expiry."""

from __future__ import annotations

import os

import pytest

from feedbackloop.events.errors import TokenInvalid
from feedbackloop.events.tokens import Claims, TokenSealer
from feedbackloop.gateway.opened import LONGEST_KEPT, OpenedTokens

NOW = 1_700_000_000_000


@pytest.fixture
def sealer() -> TokenSealer:
    return TokenSealer(key=os.urandom(32), loop_uid="uid")


def token(sealer: TokenSealer, subject: str = "s", expires_at: int = NOW + 1000) -> bytes:
    return sealer.seal(Claims(subject=subject, session="", outputs=("o",), expires_at=expires_at)).encode()


def test_a_token_gives_its_claims_again_and_again(sealer: TokenSealer) -> None:
    opened, one, other = OpenedTokens(sealer), token(sealer), token(sealer, "t")
    assert [opened.open(t, NOW).subject for t in (one, other, one, other)] == ["s", "t", "s", "t"]
    assert len(opened) == 2


def test_a_remembered_token_expires(sealer: TokenSealer) -> None:
    opened, one = OpenedTokens(sealer), token(sealer)
    opened.open(one, NOW)
    with pytest.raises(TokenInvalid):
        opened.open(one, NOW + 1000)


def test_what_is_no_token_is_not_remembered(sealer: TokenSealer) -> None:
    opened, good = OpenedTokens(sealer), token(sealer)
    opened.open(good, NOW)
    for bad in (good[:-1], good[:-2] + b"AA", b"", b"x" * 100):
        with pytest.raises(TokenInvalid):
            opened.open(bad, NOW)
    assert len(opened) == 1


def test_memory_is_bounded_by_count_and_length(sealer: TokenSealer) -> None:
    opened = OpenedTokens(sealer, most=10)
    for index in range(100):
        opened.open(token(sealer, f"s-{index}"), NOW)
    assert len(opened) <= 20
    long = token(sealer, "s" * 2 * LONGEST_KEPT)
    before = len(opened)
    assert opened.open(long, NOW).subject.startswith("sss")
    assert len(opened) == before
