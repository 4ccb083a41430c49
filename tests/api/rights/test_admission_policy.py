"""Whoever writes a loop must hold what the loop will use: the policy that the chart ships, on a real server."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from feedbackloop.api import FINALIZER
from tests.api.rights.conftest import Person, grant
from tests.support import loops
from tests.support.apiserver import ApiServer

pytestmark = pytest.mark.api

SECRETS = ("s3", "s3-models-read", "s3-models-write", "loop-kek", "app-token")


@pytest.fixture
def loop(installed: str, request: pytest.FixtureRequest) -> loops.Json:
    """A loop of this test alone."""
    name = f"l{abs(hash(request.node.name)) % 10**8}"
    return loops.loop_object(name, installed)


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """The policy and new rights take a moment to be known to the server's caches."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def entitle(server: ApiServer, author: Person, *, leave_out: str = "") -> None:
    """All that a loop uses, but one."""
    names = [name for name in SECRETS if name != leave_out]
    grant(server, author.namespace, author.account, "secrets", "get", *names)
    if leave_out != "bot":
        grant(server, author.namespace, author.account, "deployments.apps", "patch", "bot")


def refused(author: Person, loop: loops.Json, *words: str) -> bool:
    done = author.apply(loop, "--dry-run=server")
    return done.returncode != 0 and all(word in done.stderr for word in words)


def accepted(author: Person, loop: loops.Json) -> bool:
    return author.apply(loop, "--dry-run=server").returncode == 0


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ("s3", "spec.storage.credentialsSecretName"),
        ("s3-models-read", "spec.models.credentialsSecretName"),
        ("s3-models-write", "spec.models.writeCredentialsSecretName"),
        ("loop-kek", "spec.encryption.key.secretName"),
        ("app-token", "spec.collection.appTokenSecretName"),
        ("bot", "spec.target.deploymentName"),
    ],
)
def test_an_author_without_a_right_is_told_the_field_and_the_fix(
    server: ApiServer, author: Person, loop: loops.Json, missing: str, field: str
) -> None:
    entitle(server, author, leave_out=missing)
    assert eventually(lambda: refused(author, loop, field, missing, author.account, "ask for that right"))


def test_an_author_with_every_right_is_admitted_as_soon_as_the_last_is_given(
    server: ApiServer, author: Person, loop: loops.Json
) -> None:
    entitle(server, author, leave_out="app-token")
    assert eventually(lambda: refused(author, loop, "app-token"))
    grant(server, author.namespace, author.account, "secrets", "get", "app-token")
    assert eventually(lambda: accepted(author, loop))
    assert author.apply(loop).returncode == 0


def test_a_change_of_the_spec_is_judged_again(server: ApiServer, author: Person, loop: loops.Json) -> None:
    entitle(server, author)
    assert eventually(lambda: author.apply(loop).returncode == 0)
    loop["spec"]["storage"]["credentialsSecretName"] = "of-somebody-else"
    assert refused(author, loop, "of-somebody-else")


def test_the_operators_own_writes_are_not_judged_though_it_may_read_no_secret(
    server: ApiServer, author: Person, operator: Person, loop: loops.Json
) -> None:
    entitle(server, author)
    assert eventually(lambda: author.apply(loop).returncode == 0)
    patch = f'-p={{"metadata":{{"finalizers":["{FINALIZER}"]}}}}'
    name = loop["metadata"]["name"]
    done = operator.kubectl("-n", author.namespace, "patch", "feedbackloop", name, "--type=merge", patch)
    assert done.returncode == 0, done.stderr
    changed = operator.kubectl(
        "-n", author.namespace, "patch", "feedbackloop", name, "--type=merge", '-p={"spec":{"suspend":true}}'
    )
    assert changed.returncode != 0
    free = '-p={"metadata":{"finalizers":null}}'
    server.kubectl("-n", author.namespace, "patch", "feedbackloop", name, "--type=merge", free)


KMS = {"awsKms": {"endpointName": "kms", "keyId": "alias/loop", "credentialsSecretName": "kms-user"}}
VAULT = {"vaultTransit": {"endpointName": "vault", "keyName": "loop", "credentialsSecretName": "vault-token"}}


def test_the_judges_token_is_asked_for_when_there_is_one(server: ApiServer, author: Person, loop: loops.Json) -> None:
    judge = {
        "endpointName": "judge",
        "model": "m",
        "family": "llama",
        "targetFamily": "qwen",
        "tokenSecretName": "judge-token",
        "labels": {"objectName": "labels.jsonl", "digest": "sha256:" + "a" * 64},
    }
    loop["spec"]["evaluation"]["judge"] = judge
    entitle(server, author)
    assert eventually(lambda: refused(author, loop, "spec.evaluation.judge.tokenSecretName", "judge-token"))
    grant(server, author.namespace, author.account, "secrets", "get", "judge-token")
    assert eventually(lambda: accepted(author, loop))


@pytest.mark.parametrize(
    ("key", "verified", "named", "field"),
    [
        (KMS, "", "kms-user", "spec.encryption.key.awsKms.credentialsSecretName"),
        (VAULT, "", "vault-token", "spec.encryption.key.vaultTransit.credentialsSecretName"),
        ({"secretName": "loop-kek"}, "experts", "experts", "spec.collection.verifiedTokenSecretName"),
    ],
)
def test_a_secret_that_may_be_named_is_asked_for_when_it_is(
    server: ApiServer, author: Person, loop: loops.Json, key: loops.Json, verified: str, named: str, field: str
) -> None:
    loop["spec"]["encryption"]["key"] = key
    if verified:
        loop["spec"]["collection"]["verifiedTokenSecretName"] = verified
    entitle(server, author)
    assert eventually(lambda: refused(author, loop, field, named))
    grant(server, author.namespace, author.account, "secrets", "get", named)
    assert eventually(lambda: accepted(author, loop))
