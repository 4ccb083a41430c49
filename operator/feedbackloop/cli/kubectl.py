"""`kubectl` as the way to the API server: it knows the kubeconfig, its plug-ins for log-in, and its contexts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

SECONDS = 30
LOOPS, RUNS, ACTIONS = (f"{kind}.feedbackloop.dev" for kind in ("feedbackloops", "improvementruns", "rolloutactions"))
_DENIED = "denied request: "
Json = dict[str, Any]


class KubectlError(Exception):
    """It could not be asked, or said no; the message is its own."""


def run(*arguments: str, namespace: str = "", stdin: Json | None = None) -> str:
    """What kubectl prints. Raises KubectlError."""
    command = ["kubectl", *(("--namespace", namespace) if namespace else ()), *arguments]
    text = None if stdin is None else json.dumps(stdin)
    try:
        done = subprocess.run(command, input=text, check=False, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        raise KubectlError("kubectl is not installed") from None
    except subprocess.TimeoutExpired:
        raise KubectlError(f"kubectl did not answer within {SECONDS} s") from None
    if done.returncode:
        raise KubectlError(f"kubectl {' '.join(arguments[:2])}: {reason(done.stderr) or 'failed'}")
    return done.stdout.strip()


def reason(stderr: str) -> str:
    """Its last words; of a refusal by a policy, those of the policy."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1].rpartition(_DENIED)[2] if lines else ""


def get(kind: str, name: str, namespace: str) -> Json | None:
    """The object; None when it is absent."""
    return _parsed(run("get", kind, name, "--ignore-not-found", "-o", "json", namespace=namespace))


def create(body: Json, namespace: str) -> Json:
    """The object as it was made."""
    return _parsed(run("create", "-f", "-", "-o", "json", namespace=namespace, stdin=body)) or {}


def patch(kind: str, name: str, body: Json, namespace: str) -> None:
    """A merge patch."""
    run("patch", kind, name, "--type=merge", "-p", json.dumps(body), namespace=namespace)


def whoami() -> tuple[str, tuple[str, ...]]:
    """The user name and the groups by which the API server knows us (a SelfSubjectReview)."""
    info = (_parsed(run("auth", "whoami", "-o", "json")) or {}).get("status", {}).get("userInfo", {})
    if not info.get("username"):
        raise KubectlError("the API server does not say who you are: it needs SelfSubjectReview (Kubernetes 1.28)")
    return str(info["username"]), tuple(info.get("groups") or ())


def _parsed(text: str) -> Json | None:
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        raise KubectlError("kubectl printed something that is not JSON") from None
    return value if isinstance(value, dict) else None


def flags(namespace: str) -> Sequence[str]:
    return ("-n", namespace) if namespace else ()
