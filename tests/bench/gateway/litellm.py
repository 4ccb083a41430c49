"""LiteLLM's proxy before the stub model: one worker, no database, no telemetry, nothing fetched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.bench.gateway import cpu
from tests.gateway.process import free_port
from tests.gateway.waiting import wait_for
from tests.support import envs

KEY = "sk-of-the-benchmark"
_ENV = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_PROXY": "127.0.0.1,localhost",
}


@dataclass(frozen=True)
class LiteLlm:
    """A running proxy. `leader` is the first process of its session."""

    leader: int
    port: int


@contextmanager
def litellm(folder: Path, model_port: int) -> Iterator[LiteLlm]:
    """The proxy of the environment `litellm`, ready, its model `bot` being the stub."""
    port, settings, log = free_port(), folder / "litellm.yaml", folder / "litellm.log"
    settings.write_text(json.dumps(_settings(model_port)))  # JSON is YAML
    home = envs.ensure("litellm")
    command = [str(home / "bin" / "litellm"), "--config", str(settings), "--host", "127.0.0.1", "--port", str(port)]
    with cpu.core(cpu.SERVER), log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--num_workers", "1", "--telemetry", "False"],
            env=os.environ | _ENV | {"PATH": f"{home / 'bin'}:{os.environ['PATH']}"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=folder,
        )
    try:
        wait_for(lambda: _alive(port, process, log), "LiteLLM answers", 120)
        yield LiteLlm(process.pid, port)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _settings(model_port: int) -> dict[str, object]:
    parameters = {"model": "openai/stub-7b", "api_base": f"http://127.0.0.1:{model_port}/v1", "api_key": "none"}
    return {
        "model_list": [{"model_name": "bot", "litellm_params": parameters}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "request_timeout": 60},
    }


def _alive(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, f"LiteLLM ended:\n{log.read_text(errors='replace')[-2000:]}"
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/health/liveliness", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
