"""The demo's server over HTTP."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.pod import environment, trainer_python, wait

pytestmark = pytest.mark.trainer
QUESTION = {"messages": [{"role": "user", "content": "What is the refund window?"}]}
ANSWER = "The refund window is 14 days."


class Server:
    """A running server, asked without a connection pool."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
            connection.request(method, path, data)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def complete(self, **changes: Any) -> dict[str, Any]:
        status, body = self.ask("POST", "/v1/chat/completions", QUESTION | changes)
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def health(self) -> int | None:
        try:
            return self.ask("GET", "/healthz")[0]
        except OSError:
            return None


@contextmanager
def serving(model: Path, *options: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [trainer_python(), "-m", "feedbackloop.jobs.serve", "--host", "127.0.0.1", "--name", "support-bot"]
    process = subprocess.Popen(
        [*command, "--model", str(model), "--port", str(port), *options], env=environment(), text=True
    )
    server = Server(process, port)
    try:
        wait(lambda: server.health() is not None, process)
        yield server
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(base: Path) -> Iterator[Server]:
    with serving(base) as running:
        yield running


def test_a_question_gets_the_models_answer(server: Server) -> None:
    found = server.complete()
    assert found["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    ]
    assert found["usage"]["completion_tokens"] > 3


def test_nothing_in_an_answer_tells_the_revision(server: Server) -> None:
    assert server.complete(model="gpt-4")["model"] == "support-bot"
    assert json.loads(server.ask("GET", "/v1/models")[1])["data"][0]["id"] == "support-bot"


def test_a_streamed_answer_adds_up_to_the_same_text(server: Server) -> None:
    status, body = server.ask("POST", "/v1/chat/completions", QUESTION | {"stream": True})
    events = [line.removeprefix("data: ") for line in body.splitlines() if line]
    chunks = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert status == 200
    assert events[-1] == "[DONE]"
    assert "".join(chunk["delta"].get("content", "") for chunk in chunks) == ANSWER
    assert chunks[-1]["finish_reason"] == "stop"


def test_max_tokens_cuts_an_answer(server: Server) -> None:
    found = server.complete(max_tokens=2)
    assert found["choices"][0]["finish_reason"] == "length"
    assert found["usage"]["completion_tokens"] == 2


def test_many_at_once_get_the_answers_that_each_gets_alone(server: Server) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.complete()["choices"][0]["message"]["content"]))
        for _ in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [ANSWER] * 24


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"messages": []}', 400),
        (b'{"messages": "hi"}', 400),
        (json.dumps(QUESTION | {"n": 2}).encode(), 400),
        (json.dumps({"messages": [{"role": "user", "content": "long " * 500}]}).encode(), 400),
        (b" " * 300_000, 413),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(server: Server, body: bytes, status: int) -> None:
    found, text = server.ask("POST", "/v1/chat/completions", body)
    assert found == status
    assert json.loads(text)["error"]["message"]


def test_other_paths_are_not_served(server: Server) -> None:
    assert server.ask("GET", "/v1/files")[0] == 404


def test_sigterm_lets_what_runs_finish_and_exits_cleanly(base: Path) -> None:
    with serving(base, "--drain-seconds", "3") as running:
        assert running.health() == 200
        running.process.send_signal(signal.SIGTERM)
        wait(lambda: running.health() == 503, running.process)
        assert running.complete()["choices"][0]["message"]["content"] == ANSWER
        assert running.process.wait(timeout=30) == 0


def test_without_a_model_it_runs_and_is_unready(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        assert running.health() == 503
        assert running.ask("POST", "/v1/chat/completions", QUESTION)[0] == 503
