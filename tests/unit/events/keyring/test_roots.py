"""One contract for every place of a root key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.gateway import KeyService, RootKeyType
from feedbackloop.events.errors import KeyRefused, KeyServiceUnavailable
from feedbackloop.events.keyring.root import open_previous, open_root
from tests.support.fake_vault import TOKEN, FakeVault, fake_vault
from tests.unit.events.keyring.roots import KINDS, Pair

CONTEXT = {"loop": "uid-1", "family": "outer", "n": "1"}
KEY = bytes(range(32))


@pytest.fixture(scope="module", params=list(KINDS))
def roots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    opened, variable = KINDS[request.param]
    if variable and not os.environ.get(variable):
        pytest.skip(f"{variable} names no real service")
    manager: Any = opened(tmp_path_factory.mktemp("root"))
    with manager as pair:
        yield pair


def test_what_was_wrapped_is_unwrapped(roots: Pair) -> None:
    assert roots.one.unwrap(roots.one.wrap(KEY, CONTEXT), CONTEXT) == KEY


def test_the_key_is_not_readable_in_what_was_wrapped(roots: Pair) -> None:
    assert KEY not in roots.one.wrap(KEY, CONTEXT)


def test_wrapping_twice_gives_two_results(roots: Pair) -> None:
    assert roots.one.wrap(KEY, CONTEXT) != roots.one.wrap(KEY, CONTEXT)


@pytest.mark.parametrize(
    "context",
    [{}, CONTEXT | {"n": "2"}, CONTEXT | {"loop": "uid-2"}, {"loop": "uid-1"}, CONTEXT | {"more": "x"}],
    ids=["none", "number", "loop", "fewer", "more"],
)
def test_another_context_is_refused(roots: Pair, context: dict[str, str]) -> None:
    wrapped = roots.one.wrap(KEY, CONTEXT)
    with pytest.raises(KeyRefused):
        roots.one.unwrap(wrapped, context)


def test_another_key_is_refused(roots: Pair) -> None:
    wrapped = roots.one.wrap(KEY, CONTEXT)
    with pytest.raises(roots.wrong_key):
        roots.other.unwrap(wrapped, CONTEXT)


def test_altered_bytes_are_refused(roots: Pair) -> None:
    wrapped = roots.one.wrap(KEY, CONTEXT)
    for altered in (wrapped[:-8], wrapped[:-8] + bytes(8), b"", b"\xff" * 40):
        with pytest.raises(KeyRefused):
            roots.one.unwrap(altered, CONTEXT)


def test_two_keys_have_two_names(roots: Pair) -> None:
    assert roots.one.ident != roots.other.ident


def test_a_service_that_is_away_is_another_matter_than_a_refusal(roots: Pair) -> None:
    if roots.unreachable is roots.one:
        pytest.skip("a Secret is never away")
    with pytest.raises(KeyServiceUnavailable):
        roots.unreachable.wrap(KEY, CONTEXT)


def test_without_credentials_a_service_cannot_be_used(tmp_path: Path) -> None:
    for kind in (RootKeyType.AWS_KMS, RootKeyType.VAULT_TRANSIT):
        root = open_root(KeyService(type=kind, url="http://127.0.0.1:9", key="k"), tmp_path)
        with pytest.raises(KeyServiceUnavailable, match="NoCredentials"):
            root.wrap(KEY, CONTEXT)


def test_a_secret_of_another_length_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(KeyRefused, match="key has 5 bytes; it must be 32"):
        open_root(KeyService(), tmp_path)


def test_an_absent_secret_may_still_come(tmp_path: Path) -> None:
    with pytest.raises(KeyServiceUnavailable):
        open_root(KeyService(), tmp_path)


def test_the_previous_root_is_of_the_same_kind(tmp_path: Path) -> None:
    assert open_previous(KeyService(), tmp_path) is None
    (tmp_path / "previous").write_bytes(KEY)
    (tmp_path / "key").write_bytes(KEY)
    before = open_previous(KeyService(), tmp_path)
    assert before is not None
    assert before.ident == open_root(KeyService(), tmp_path).ident
    (tmp_path / "previous").write_text("old-key\n")
    named = open_previous(KeyService(type=RootKeyType.VAULT_TRANSIT, url="http://v", key="new-key"), tmp_path)
    assert named is not None
    assert named.ident == "vault:transit/old-key"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[FakeVault]:
    (tmp_path / "token").write_text(TOKEN)
    with fake_vault() as server:
        server.create("loop")
        yield server


def transit(vault: FakeVault, tmp_path: Path) -> Any:
    return open_root(KeyService(type=RootKeyType.VAULT_TRANSIT, url=vault.url, key="loop"), tmp_path)


def test_a_transit_key_that_was_rotated_still_opens_what_it_wrapped(vault: FakeVault, tmp_path: Path) -> None:
    root = transit(vault, tmp_path)
    before = root.wrap(KEY, CONTEXT)
    vault.rotate("loop")
    assert root.unwrap(before, CONTEXT) == KEY
    assert root.wrap(KEY, CONTEXT).startswith(b"vault:v2:")


def test_a_renewed_token_is_taken_up(vault: FakeVault, tmp_path: Path) -> None:
    root = transit(vault, tmp_path)
    (tmp_path / "token").write_text("expired")
    with pytest.raises(KeyServiceUnavailable, match="403"):
        root.wrap(KEY, CONTEXT)
    (tmp_path / "token").write_text(TOKEN)
    assert root.wrap(KEY, CONTEXT)


def test_a_redirect_is_not_followed(vault: FakeVault, tmp_path: Path) -> None:
    """It would carry the token elsewhere."""
    with fake_vault() as elsewhere:
        vault.answer = (307, b"", {"Location": f"{elsewhere.url}/v1/transit/encrypt/loop"})
        with pytest.raises(KeyServiceUnavailable, match="307"):
            transit(vault, tmp_path).wrap(KEY, CONTEXT)
        assert elsewhere.requests == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b'{"data": {"ciphertext": 7}}', b"<html>"])
def test_an_answer_that_is_none_is_not_taken_for_one(vault: FakeVault, tmp_path: Path, body: bytes) -> None:
    vault.answer = (200, body, {})
    with pytest.raises(KeyServiceUnavailable, match="Malformed"):
        transit(vault, tmp_path).wrap(KEY, CONTEXT)


@pytest.mark.parametrize("status", [403, 429, 472, 473, 500, 503])
def test_a_sealed_or_busy_server_may_come_back(vault: FakeVault, tmp_path: Path, status: int) -> None:
    vault.answer = (status, b"{}", {})
    with pytest.raises(KeyServiceUnavailable, match=str(status)):
        transit(vault, tmp_path).wrap(KEY, CONTEXT)
