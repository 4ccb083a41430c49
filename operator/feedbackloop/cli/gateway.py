"""Reaching a loop's app port: by its URL and token, or through `kubectl`."""

from __future__ import annotations

import argparse
import base64
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from feedbackloop.cli import kubectl
from feedbackloop.cli.kubectl import KubectlError
from feedbackloop.client.sender import Sender
from feedbackloop.client.transport import Transport

WITHIN_SECONDS = 60.0
_FORWARDED = re.compile(r"Forwarding from 127\.0\.0\.1:([0-9]+)")


class NoGateway(Exception):  # noqa: N818
    """The gateway cannot be reached; the message says what to do."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--gateway`, `--token-file`, `-n`."""
    parser.add_argument("--gateway", metavar="URL", help="the app port; without it kubectl forwards a port")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="the app token; without it kubectl reads it")
    parser.add_argument("-n", "--namespace", default="", help="the loop's namespace (kubectl's current one)")


@contextmanager
def app_port(
    wanted: argparse.Namespace, loop: str | None, *, within: float = 60.0, channel: str = ""
) -> Iterator[Sender]:
    """A way to the app port of a loop. Raises NoGateway."""
    token = _token(wanted, loop)
    if wanted.gateway:
        yield Sender(Transport(wanted.gateway, timeout=30.0), token, within=WITHIN_SECONDS, channel=channel)
        return
    with _forwarded(f"svc/{_named(loop)}-gateway", wanted.namespace) as url:
        yield Sender(Transport(url, timeout=30.0), token, within=WITHIN_SECONDS, channel=channel)


def _named(loop: str | None) -> str:
    if not loop:
        raise NoGateway("give --gateway and --token-file, or name the loop and its namespace")
    return loop


def _token(wanted: argparse.Namespace, loop: str | None) -> str:
    if wanted.token_file is not None:
        try:
            return str(wanted.token_file.read_text().strip())
        except (OSError, UnicodeError) as error:
            raise NoGateway(f"{wanted.token_file}: cannot be read: {type(error).__name__}") from None
    path = "{.spec.collection.appTokenSecretName}"
    secret = _kubectl(
        "get", "feedbackloops.feedbackloop.dev", _named(loop), "-o", f"jsonpath={path}", namespace=wanted.namespace
    )
    data = _kubectl("get", "secret", secret, "-o", "jsonpath={.data.token}", namespace=wanted.namespace)
    try:
        return base64.b64decode(data, validate=True).decode().strip()
    except ValueError:
        raise NoGateway(f"Secret {secret}: its key token cannot be read") from None


def _kubectl(*arguments: str, namespace: str) -> str:
    try:
        found = kubectl.run(*arguments, namespace=namespace)
    except KubectlError as error:
        raise NoGateway(f"{error}; or give --gateway and --token-file") from None
    if not found:
        raise NoGateway(f"kubectl {arguments[0]} {arguments[1]}: found nothing")
    return found


def _in(namespace: str) -> Sequence[str]:
    return ("--namespace", namespace) if namespace else ()


@contextmanager
def _forwarded(target: str, namespace: str) -> Iterator[str]:
    """The URL of a forwarded port. kubectl says which one it took; it ends with the command."""
    command = ["kubectl", *_in(namespace), "port-forward", "--address", "127.0.0.1", target, ":8080"]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise NoGateway("kubectl is not installed: give --gateway and --token-file instead") from None
    try:
        assert process.stdout is not None
        first = _FORWARDED.search(process.stdout.readline())
        if first is None:
            process.terminate()
            raise NoGateway(f"kubectl port-forward {target}: {kubectl.reason(process.communicate()[1]) or 'ended'}")
        yield f"http://127.0.0.1:{first[1]}"
    finally:
        process.terminate()
        process.communicate()
