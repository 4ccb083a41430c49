"""An ErasureRequest is accepted and answered honestly."""

from __future__ import annotations

import pytest

from feedbackloop.adapters.context import Adapters
from feedbackloop.adapters.kinds import ERASURE_REQUEST
from feedbackloop.api import API_VERSION
from feedbackloop.controllers.erasure import ErasureReconciler
from feedbackloop.engine.keys import Key
from tests.api.loop.world import LoopWorld, condition

pytestmark = pytest.mark.api


async def test_a_request_is_told_once_that_it_is_not_served_yet(world: LoopWorld) -> None:
    world.apply(
        {
            "apiVersion": API_VERSION,
            "kind": "ErasureRequest",
            "metadata": {"name": "one"},
            "spec": {"loopName": "bot", "subject": "a" * 32},
        }
    )
    reconciler = ErasureReconciler(Adapters(world.kubernetes, None, None, world.gateways))  # type: ignore[arg-type]
    key = Key("ErasureRequest", world.namespace, "one")
    assert await reconciler.reconcile(key, world.clock.now()) is None
    first = await world.there(ERASURE_REQUEST, "one")
    assert condition(first, "Served")["status"] == "False"
    assert condition(first, "Served")["reason"] == "NotServedYet"
    await reconciler.reconcile(key, world.clock.now())
    assert await world.there(ERASURE_REQUEST, "one") == first


async def test_a_request_that_is_gone_is_nothing_to_do(world: LoopWorld) -> None:
    reconciler = ErasureReconciler(Adapters(world.kubernetes, None, None, world.gateways))  # type: ignore[arg-type]
    assert await reconciler.reconcile(Key("ErasureRequest", world.namespace, "no"), world.clock.now()) is None
