"""How commands find a loop's app port through kubectl: with a kubectl that answers by a script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from feedbackloop.cli.main import main
from tests.unit.client.server import Script, scripted

KUBECTL = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  *"get feedbackloops.feedbackloop.dev bot "*) printf app-token ;;
  *"get feedbackloops.feedbackloop.dev "*) echo 'Error from server (NotFound): no such loop' >&2; exit 1 ;;
  *"get secret app-token "*) printf dG9rZW4tMQ== ;;
  *port-forward*) echo "Forwarding from 127.0.0.1:$PORT -> 8080"; exec sleep 600 ;;
esac
"""


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as running:
        yield running


@pytest.fixture
def calls(tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that kubectl's calls are written to."""
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    tool.write_text(KUBECTL)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PORT", str(urlsplit(script.url).port))
    return tmp_path / "calls"


def test_the_token_and_a_forwarded_port_come_from_kubectl(
    script: Script, calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.outcome = lambda _: {"accepted": 1, "duplicate": 0, "refused": [], "next": None, "waiting": 0}
    assert main(["badrows", "replay", "bot", "-n", "ml", "--all"]) == 0
    assert capsys.readouterr().out == "1 accepted, 0 were there already, 0 refused\n"
    ((path, headers, body),) = script.asked
    assert (path, headers["Authorization"], body) == ("/v1/badrows:replay", "Bearer token-1", {"all": True})
    called = calls.read_text().splitlines()
    assert all(line.startswith("--namespace ml ") for line in called)
    assert called[-1] == "--namespace ml port-forward --address 127.0.0.1 svc/bot-gateway :8080"


def test_what_kubectl_says_is_told(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["badrows", "list", "nosuch"]) == 2
    assert "NotFound" in capsys.readouterr().err
    assert calls.exists()


def test_without_kubectl_the_other_way_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["badrows", "list", "bot"]) == 2
    assert "--gateway and --token-file" in capsys.readouterr().err
