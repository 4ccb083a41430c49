"""The restricted pod-security level as a function: what of a pod's spec violates it.

After the Pod Security Standards; the API level holds it against the server's own judgement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
HOST = ("hostNetwork", "hostPID", "hostIPC")
SECCOMP = ("RuntimeDefault", "Localhost")


def violations(pod: Json) -> list[str]:
    """What the level forbids; empty for a pod that passes."""
    return [*_pod(pod), *(v for c in _containers(pod) for v in _container(c, pod.get("securityContext", {})))]


def _containers(pod: Json) -> list[Json]:
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def _pod(pod: Json) -> Iterator[str]:
    yield from (f"{field}: true" for field in HOST if pod.get(field))
    for volume in pod.get("volumes", ()):
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            yield f"volume {volume['name']}: {kinds - VOLUMES}"
    if pod.get("securityContext", {}).get("runAsUser") == 0:
        yield "pod: runAsUser 0"


def _container(container: Json, pod: Json) -> Iterator[str]:
    security, name = container.get("securityContext", {}), container["name"]
    if security.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation"
    if security.get("capabilities", {}).get("drop") != ["ALL"]:
        yield f"{name}: capabilities.drop"
    if set(security.get("capabilities", {}).get("add", ())) - {"NET_BIND_SERVICE"}:
        yield f"{name}: capabilities.add"
    if security.get("privileged"):
        yield f"{name}: privileged"
    if not security.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield f"{name}: runAsNonRoot"
    if security.get("runAsUser", pod.get("runAsUser")) == 0:
        yield f"{name}: runAsUser 0"
    if security.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield f"{name}: seccompProfile"
    yield from (f"{name}: hostPort" for p in container.get("ports", ()) if p.get("hostPort"))
