"""The outer envelope: what is not exactly the message that was made for a key, suite and purpose is refused."""

from __future__ import annotations

import aws_encryption_sdk
import pytest
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import AlgorithmSuite

from feedbackloop.events import envelope
from feedbackloop.events.errors import EnvelopeError
from feedbackloop.events.keys import RAW, Kek

ONE, TWO = bytes(range(32)), bytes(32)
CONTEXT = {"purpose": "test/1", "object": "a"}


def sealed(kek: Kek, plain: bytes = b"private") -> bytes:
    return envelope.encrypt(plain, kek=kek, context=CONTEXT)


def test_a_message_names_its_key_and_opens_after_a_rotation() -> None:
    data = sealed(Kek({"outer/1": ONE}, "outer/1"))
    rotated = Kek({"outer/1": ONE, "outer/2": TWO}, "outer/2")
    assert envelope.decrypt(data, kek=rotated, context=CONTEXT) == b"private"
    assert b"outer/2" in sealed(rotated)


def test_a_message_of_before_the_loop_had_keys_stays_readable() -> None:
    data = sealed(Kek.of(ONE))
    assert envelope.decrypt(data, kek=Kek({RAW: ONE, "outer/1": TWO}, "outer/1"), context=CONTEXT) == b"private"


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(EnvelopeError, match="outer/2"):
        envelope.decrypt(sealed(Kek({"outer/2": TWO}, "outer/2")), kek=Kek.of(ONE), context=CONTEXT)


def test_a_wrong_key_under_the_right_name_opens_nothing() -> None:
    with pytest.raises(EnvelopeError, match="cannot open"):
        envelope.decrypt(sealed(Kek.of(ONE)), kek=Kek.of(TWO), context=CONTEXT)


def test_every_altered_byte_is_noticed() -> None:
    data = sealed(Kek.of(ONE))
    for at in range(len(data)):
        altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(EnvelopeError):
            envelope.decrypt(altered, kek=Kek.of(ONE), context=CONTEXT)


def test_frames_of_a_long_message_cannot_be_left_out_or_swapped() -> None:
    plain = bytes(range(256)) * (3 * envelope.FRAME_BYTES // 256)
    data = sealed(Kek.of(ONE), plain)
    frame = envelope.FRAME_BYTES + 4 + 12 + 16
    start = data.index((1).to_bytes(4, "big") + (1).to_bytes(12, "big"))
    first, second = data[start : start + frame], data[start + frame : start + 2 * frame]
    rest = data[start + 2 * frame :]
    assert envelope.decrypt(data, kek=Kek.of(ONE), context=CONTEXT) == plain
    for altered in (second + first + rest, second + rest, first + first + rest, first + second):
        with pytest.raises(EnvelopeError):
            envelope.decrypt(data[:start] + altered, kek=Kek.of(ONE), context=CONTEXT)


def test_another_purpose_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="another object"):
        envelope.decrypt(sealed(Kek.of(ONE)), kek=Kek.of(ONE), context=CONTEXT | {"object": "b"})


@pytest.mark.parametrize(
    "suite", [AlgorithmSuite.AES_256_GCM_IV12_TAG16_HKDF_SHA256, AlgorithmSuite.AES_256_GCM_IV12_TAG16]
)
def test_a_suite_without_key_commitment_is_refused(suite: AlgorithmSuite) -> None:
    """A message of such a suite can be made to open under two keys."""
    provider = envelope._KekProvider(Kek.of(ONE))
    provider.add_master_key(RAW)
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    data, _ = client.encrypt(source=b"private", key_provider=provider, algorithm=suite, encryption_context=CONTEXT)
    with pytest.raises(EnvelopeError, match="ActionNotAllowed"):
        envelope.decrypt(bytes(data), kek=Kek.of(ONE), context=CONTEXT)


def test_a_message_is_committed_to_its_data_key() -> None:
    """Another data key, well wrapped for us, does not open the message."""
    mine, other = sealed(Kek.of(ONE)), sealed(Kek.of(ONE))
    provider = envelope._KekProvider(Kek.of(ONE))
    header = aws_encryption_sdk.EncryptionSDKClient().decrypt(source=mine, key_provider=provider)[1]
    theirs = aws_encryption_sdk.EncryptionSDKClient().decrypt(source=other, key_provider=provider)[1]
    (own,), (foreign,) = header.encrypted_data_keys, theirs.encrypted_data_keys
    forged = mine.replace(own.key_provider.key_info, foreign.key_provider.key_info)
    forged = forged.replace(own.encrypted_data_key, foreign.encrypted_data_key)
    assert forged != mine
    with pytest.raises(EnvelopeError):
        envelope.decrypt(forged, kek=Kek.of(ONE), context=CONTEXT)
