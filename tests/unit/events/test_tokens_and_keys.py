"""Feedback tokens, pseudonyms and wrapped keys."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.events import keys
from feedbackloop.events.errors import EnvelopeError, TokenInvalid
from feedbackloop.events.keys import Kek
from feedbackloop.events.tokens import Claims, TokenSealer

KEY = bytes(range(32))
SEALER = TokenSealer(key=KEY, loop_uid="loop-1")
CLAIMS = Claims("s" * 32, "t" * 32, ("o-1", "o-2"), "canary", "run-7", 3, 1_000, 2_000, True)


def test_a_token_gives_back_its_claims() -> None:
    assert SEALER.open(SEALER.seal(CLAIMS).encode(), now_ms=1_500) == CLAIMS


def test_an_expired_token_admits_nothing() -> None:
    with pytest.raises(TokenInvalid, match="expired"):
        SEALER.open(SEALER.seal(CLAIMS).encode(), now_ms=2_000)


def test_a_token_of_another_loop_or_key_is_refused() -> None:
    for other in (TokenSealer(key=KEY, loop_uid="loop-2"), TokenSealer(key=bytes(32), loop_uid="loop-1")):
        with pytest.raises(TokenInvalid):
            other.open(SEALER.seal(CLAIMS).encode(), now_ms=0)


@given(st.binary(max_size=300))
def test_no_other_bytes_are_a_token(data: bytes) -> None:
    with pytest.raises(TokenInvalid):
        SEALER.open(base64.urlsafe_b64encode(data).rstrip(b"="), now_ms=0)
    with pytest.raises(TokenInvalid):
        SEALER.open(data, now_ms=0)


@given(st.integers(min_value=0, max_value=2_000))
def test_every_altered_bit_is_noticed(position: int) -> None:
    token = bytearray(base64.urlsafe_b64decode(SEALER.seal(CLAIMS) + "=="))
    token[position % len(token)] ^= 1 << (position % 8)
    with pytest.raises(TokenInvalid):
        SEALER.open(base64.urlsafe_b64encode(bytes(token)).rstrip(b"="), now_ms=0)


def test_a_token_tells_neither_arm_nor_epoch_nor_twice_the_same() -> None:
    stable = Claims("s" * 32, "t" * 32, ("o-1", "o-2"), "stable", "run-7", 300, 1_000, 2_000, None)
    tokens = {SEALER.seal(claims) for claims in (CLAIMS, stable, CLAIMS)}
    assert len(tokens) == 3
    assert len({len(token) for token in tokens}) == 1
    assert not any(word in base64.urlsafe_b64decode(token + "==") for token in tokens for word in (b"canary", b"run-7"))


def test_pseudonyms_are_stable_and_tell_subject_from_session() -> None:
    loop = keys.LoopKeys.of(KEY)
    assert loop.pseudonym_of("subject", "anna") == keys.LoopKeys.of(KEY).pseudonym_of("subject", "anna")
    assert loop.pseudonym_of("subject", "anna") != loop.pseudonym_of("session", "anna")
    assert loop.pseudonym_of("subject", "anna") != keys.LoopKeys.of(bytes(32)).pseudonym_of("subject", "anna")
    assert "anna" not in loop.pseudonym_of("subject", "anna")


def test_a_wrapped_key_opens_for_its_purpose_only() -> None:
    mine = Kek.of(KEY)
    wrapped = keys.wrap(mine, b"k" * 32, b"purpose")
    assert keys.unwrap(mine, wrapped, b"purpose") == b"k" * 32
    for kek, data, purpose in (
        (Kek.of(bytes(32)), wrapped, b"purpose"),
        (mine, wrapped, b"other"),
        (mine, wrapped[:-1], b"purpose"),
    ):
        with pytest.raises(EnvelopeError):
            keys.unwrap(kek, data, purpose)


def test_a_wrapped_key_names_the_key_it_is_under() -> None:
    old, new = Kek({"outer/1": KEY}, "outer/1"), Kek({"outer/1": KEY, "outer/2": bytes(32)}, "outer/2")
    for made_by in (old, new):
        assert keys.unwrap(new, keys.wrap(made_by, b"k" * 32, b"purpose"), b"purpose") == b"k" * 32
    with pytest.raises(EnvelopeError, match="outer/2"):
        keys.unwrap(old, keys.wrap(new, b"k" * 32, b"purpose"), b"purpose")


def test_the_name_of_a_wrapped_key_cannot_be_exchanged() -> None:
    twins = Kek({"outer/1": KEY, "outer/2": KEY}, "outer/1")
    wrapped = keys.wrap(twins, b"k" * 32, b"purpose")
    with pytest.raises(EnvelopeError, match="wrong KEK"):
        keys.unwrap(twins, wrapped.replace(b"outer/1", b"outer/2"), b"purpose")


def test_keys_that_were_wrapped_before_they_had_names_stay_readable() -> None:
    nonce = b"n" * 12
    before = nonce + AESGCM(KEY).encrypt(nonce, b"k" * 32, b"purpose")
    assert keys.unwrap(Kek({keys.RAW: KEY, "outer/1": bytes(32)}, "outer/1"), before, b"purpose") == b"k" * 32
    with pytest.raises(EnvelopeError):
        keys.unwrap(Kek({"outer/1": KEY}, "outer/1"), before, b"purpose")


def test_a_wrapped_key_is_told_from_what_follows_it() -> None:
    nonce = b"n" * 12
    before = nonce + AESGCM(KEY).encrypt(nonce, b"k" * 32, b"purpose")
    for wrapped in (before, keys.wrap(Kek.of(KEY), b"k" * 32, b"purpose")):
        assert keys.split(wrapped + b"the rest") == (wrapped, b"the rest")
