"""The way back as patches of what is declared."""

from __future__ import annotations

import json

import pytest

from feedbackloop.cli.main import main
from tests.unit.cli import given
from tests.unit.cli.conftest import Json, Kube


def patches(text: str) -> list[Json]:
    return [json.loads(line.partition(" -p '")[2].rstrip("'"))["spec"]["target"]["model"] for line in text.splitlines()]


def test_the_former_champion_is_declared(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("feedbackloops", "bot", given.loop())
    assert main(["rollback", "bot", "-n", "ml"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("kubectl -n ml patch feedbackloops.feedbackloop.dev bot --type=merge -p '")
    assert [m["digest"] for m in patches(out)] == [given.model("c")["digest"]]
    assert not [call for call in kube.calls if " patch " in call]


def test_a_model_that_is_declared_already_is_declared_anew(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    base = given.spec()["target"]["model"]
    champion = given.model("d", runName="r")
    kube.holds("feedbackloops", "bot", given.loop(champion=champion, previous={**base, "short": "a" * 12}))
    assert main(["rollback", "bot", "--apply"]) == 0
    assert [m["digest"] for m in patches(capsys.readouterr().out)] == [champion["digest"], base["digest"]]
    assert len([call for call in kube.calls if call.startswith("patch ")]) == 2


def test_an_earlier_promotion_is_found_by_its_run(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    promotion = {"digest": given.model("b")["digest"], "runName": given.RUN, "runUid": "u", "at": given.SINCE}
    kube.holds("feedbackloops", "bot", given.loop(promotions=[promotion]))
    kube.holds("improvementruns", given.RUN, given.run())
    assert main(["rollback", "bot", "--to", given.model("b")["digest"]]) == 0
    assert [m["uri"] for m in patches(capsys.readouterr().out)] == [given.model("b")["uri"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "sha256:no"], "no former champion has the digest sha256:no"),
        (["--to", given.spec()["target"]["model"]["digest"]], "is the champion already"),
    ],
)
def test_a_way_back_that_is_none_is_refused(
    kube: Kube, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    kube.holds("feedbackloops", "bot", given.loop())
    assert main(["rollback", "bot", *words]) == 2
    assert told in capsys.readouterr().err


def test_without_a_former_champion_one_must_be_named(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("feedbackloops", "bot", given.loop(previous=None))
    assert main(["rollback", "bot"]) == 2
    assert "name one with --to" in capsys.readouterr().err
