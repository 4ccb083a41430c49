"""Commands that the demo runs, exactly as a person would: kubectl, helm and the project's own tools."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from examples.demo.narrate import Narrator
from examples.demo.settings import PLATFORM, ROOT

Json = dict[str, Any]


class CommandError(RuntimeError):
    """A command failed; the message holds the end of what it printed."""


def run(*command: str | Path, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it printed on stdout."""
    done = subprocess.run(
        [str(c) for c in command],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        check=False,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise CommandError(f"{' '.join(map(str, command))}\n{tail}")
    return done.stdout


def stream(narrator: Narrator, kind: str, *command: str | Path) -> None:
    """Run a command whose own progress lines become lines of the timeline."""
    lines: list[str] = []
    with subprocess.Popen(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            narrator.say(kind, line.rstrip())
    if process.returncode:
        raise CommandError(f"{' '.join(map(str, command))}\n" + "\n".join(lines[-30:]))


def rendered(name: str, **values: str) -> str:
    """A file of `platform/` with its placeholders filled in."""
    return Template((PLATFORM / name).read_text(encoding="utf-8")).substitute(values)


class Kubectl:
    """kubectl against one namespace of one cluster."""

    def __init__(self, command: Path, kubeconfig: Path, namespace: str) -> None:
        self.command = [str(command)]
        self.kubeconfig, self.namespace = kubeconfig, namespace

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        return run(*self.command, "--kubeconfig", self.kubeconfig, "-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, manifest: str) -> str:
        return self("apply", "--server-side", "--force-conflicts", "--field-manager=demo", "-f", "-", stdin=manifest)

    def get(self, *arguments: str) -> Json | None:
        text = self("get", *arguments, "-o", "json", "--ignore-not-found")
        return dict(json.loads(text)) if text.strip() else None

    def wait(self, *arguments: str, timeout: int = 300) -> None:
        self("wait", *arguments, f"--timeout={timeout}s")

    def watch(self, resource: str, on_object: Callable[[Json], None]) -> Watch:
        return Watch([*self.command, "--kubeconfig", str(self.kubeconfig), "-n", self.namespace], resource, on_object)


class Watch:
    """`kubectl get RESOURCE -w -o json` in the background; started again when the API server was away."""

    def __init__(self, command: list[str], resource: str, on_object: Callable[[Json], None]) -> None:
        self._command = [*command, "get", resource, "-w", "-o", "json"]
        self._on_object, self._stop = on_object, threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            with subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as process:
                self._process = process
                assert process.stdout is not None
                for document in documents(process.stdout):
                    self._on_object(document)
            self._stop.wait(1.0)

    def close(self) -> None:
        self._stop.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(timeout=5)


def documents(lines: Iterator[str] | Any) -> Iterator[Json]:
    """Split concatenated, indented JSON objects: each ends with a brace in the first column."""
    part: list[str] = []
    for line in lines:
        part.append(line)
        if line.startswith("}"):
            yield json.loads("".join(part))
            part.clear()


def until(condition: Callable[[], Any], *, what: str, seconds: float = 300.0, every: float = 0.5) -> Any:
    """Poll a condition until it holds; a TimeoutError says what never came."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s still waiting for {what}")
        time.sleep(every)
