"""Who may ask what of a run: the chart's policy on a real API server, and people with real tokens."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from feedbackloop.api import API_VERSION
from feedbackloop.api.rolloutaction import VERBS, Action
from tests.api.rights.conftest import Person, grant, person
from tests.api.rights.test_admission_policy import eventually
from tests.support.apiserver import ApiServer
from tests.support.loops import Json

pytestmark = pytest.mark.api
DIGEST = "sha256:" + "c" * 64
RUN = "bot-finetune-1"


@pytest.fixture
def asker(server: ApiServer, installed: str, tmp_path: Path) -> Person:
    """Somebody who may create actions, and has no verb on runs yet."""
    name = f"asker-{os.urandom(3).hex()}"
    server.kubectl("-n", installed, "create", "serviceaccount", name)
    grant(server, installed, name, "rolloutactions.feedbackloop.dev", "create,get")
    return person(server, installed, name, tmp_path)


def username(who: Person) -> str:
    return f"system:serviceaccount:{who.namespace}:{who.account}"


def action(who: Person, what: Action = Action.APPROVE, **changes: object) -> Json:
    spec: Json = {"runName": RUN, "action": what.value, "digest": DIGEST, "stepIndex": 2, "user": username(who)}
    return {
        "apiVersion": API_VERSION,
        "kind": "RolloutAction",
        "metadata": {"generateName": "ask-", "namespace": who.namespace},
        "spec": {**spec, **changes},
    }


def asks(who: Person, body: Json) -> str:
    """Empty when it was admitted, else why not."""
    done = who.kubectl("-n", who.namespace, "create", "-f", "-", "--dry-run=server", stdin=body)
    return "" if done.returncode == 0 else done.stderr


def refused(who: Person, body: Json, *words: str) -> Callable[[], bool]:
    return lambda: all(word in asks(who, body) for word in words)


def admitted(who: Person, body: Json) -> Callable[[], bool]:
    return lambda: not asks(who, body)


def test_an_action_needs_its_verb_on_the_run(server: ApiServer, asker: Person) -> None:
    """With each verb that is given, exactly its actions are admitted."""
    given = set[str]()
    for verb in sorted(set(VERBS.values())):
        grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", verb)
        given.add(verb)
        first = next(what for what in Action if VERBS[what] == verb)
        assert eventually(admitted(asker, action(asker, first)))
        for what in Action:
            told = asks(asker, action(asker, what))
            assert (not told) == (VERBS[what] in given), what
            assert not told or f"may not {VERBS[what]} ImprovementRun {RUN}" in told
            assert not told or f"ask for the verb {VERBS[what]} on improvementruns" in told


def test_a_verb_on_one_run_is_none_on_another(server: ApiServer, asker: Person) -> None:
    grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", "approve", RUN)
    assert eventually(admitted(asker, action(asker)))
    assert refused(asker, action(asker, runName="another"), "may not approve ImprovementRun another")()


def test_nobody_asks_in_the_name_of_another(server: ApiServer, asker: Person) -> None:
    grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", "approve")
    assert eventually(admitted(asker, action(asker)))
    assert refused(asker, action(asker, user="alice"), "spec.user: you are", "not alice")()


def test_only_ones_own_groups_are_named(server: ApiServer, asker: Person) -> None:
    grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", "approve")
    mine = [f"system:serviceaccounts:{asker.namespace}", "system:authenticated"]
    assert eventually(admitted(asker, action(asker, groups=mine)))
    assert refused(asker, action(asker, groups=[*mine, "ml-owners"]), "spec.groups", "is not in ml-owners")()


def test_an_action_cannot_be_changed_afterwards(server: ApiServer, asker: Person) -> None:
    grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", "approve,abort")
    grant(server, asker.namespace, asker.account, "rolloutactions.feedbackloop.dev", "patch")
    assert eventually(admitted(asker, action(asker)))
    made = asker.kubectl("-n", asker.namespace, "create", "-f", "-", "-o", "name", stdin=action(asker))
    assert made.returncode == 0, made.stderr
    patch = '-p={"spec":{"action":"Abort"}}'
    changed = asker.kubectl("-n", asker.namespace, "patch", made.stdout.strip(), "--type=merge", patch)
    assert changed.returncode != 0
    assert "immutable" in changed.stderr


def test_whoever_is_no_owner_of_the_right_cannot_answer_it(server: ApiServer, asker: Person) -> None:
    grant(server, asker.namespace, asker.account, "improvementruns.feedbackloop.dev", "approve")
    assert not asker.may("patch", "rolloutactions.feedbackloop.dev/status")


def test_the_operator_may_answer_actions_and_neither_make_nor_delete_them(operator: Person) -> None:
    resource = "rolloutactions.feedbackloop.dev"
    assert all(operator.may(verb, resource) for verb in ("get", "list", "watch", "patch"))
    assert operator.may("patch", f"{resource}/status")
    assert not any(operator.may(verb, resource) for verb in ("create", "update", "delete"))


def test_the_operator_has_no_verb_of_people(operator: Person) -> None:
    assert not any(operator.may(verb, "improvementruns.feedbackloop.dev") for verb in set(VERBS.values()))
