"""Static `local` volumes: a pool of writable ones for claims, and host directories published read-only.

Local volumes, unlike hostPath ones, honour `fsGroup` and are accepted by the restricted Pod Security level.
"""

import secrets
import shutil
from pathlib import Path
from typing import Any

from tests.cluster.description import Description
from tests.cluster.kubectl import Kubectl
from tests.cluster.manifests import STORAGE_CLASS, as_list

POOL = {"feedbackloop.dev/pool": "generic"}
SELECTOR = "--selector=feedbackloop.dev/pool=generic"


def persistent_volume(name: str, path: Path, node: str, size: str, mode: str) -> dict[str, Any]:
    """One local volume."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": [mode],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }


def ensure(cluster: Description, kubectl: Kubectl, count: int, size: str = "4Gi") -> list[str]:
    """Top the pool up to `count` volumes that are free to claim; the names of the new ones.

    A volume whose claim was deleted is removed with its directory: data of one test never meets another.
    """
    volumes = kubectl.items("persistentvolumes", SELECTOR)
    by_phase = {volume["metadata"]["name"]: volume.get("status", {}).get("phase") for volume in volumes}
    for name in spent(by_phase):
        kubectl("delete", "persistentvolume", name, "--wait=false")
        shutil.rmtree(cluster.paths.volumes / name, ignore_errors=True)
    names = [f"local-{secrets.token_hex(4)}" for _ in range(count - len(free(by_phase)))]
    if names:
        kubectl.apply(as_list([_generic(cluster, name, size) for name in names]))
    return names


def spent(by_phase: dict[str, str | None]) -> list[str]:
    """The volumes whose claim is gone."""
    return [name for name, phase in by_phase.items() if phase in ("Released", "Failed")]


def free(by_phase: dict[str, str | None]) -> list[str]:
    """The volumes that a claim can have: Available, or about to be."""
    return [name for name, phase in by_phase.items() if phase in ("Available", "Pending", None)]


def _generic(cluster: Description, name: str, size: str) -> dict[str, Any]:
    path = cluster.paths.volumes / name
    path.mkdir(parents=True)
    volume = persistent_volume(name, path, cluster.node, size, "ReadWriteOnce")
    volume["metadata"]["labels"] = POOL
    return volume


def publish(cluster: Description, kubectl: Kubectl, claim: str, path: Path, namespace: str) -> None:
    """Give the namespace a claim of this name whose volume is a directory of the host, to be read only.

    Pods must mount it at the same path, so that scripts' first lines hold, and say `readOnly: true` in
    `persistentVolumeClaim`: without that the kubelet would hand the directory's files over to the pod's fsGroup.
    """
    name = f"{namespace}-{claim}"
    if kubectl("get", "pv", name, "--ignore-not-found", "--output=jsonpath={.status.phase}") == "Released":
        kubectl("delete", "persistentvolume", name)
    volume = persistent_volume(name, path.absolute(), cluster.node, "1Gi", "ReadOnlyMany")
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace, "name": claim}
    volume["spec"]["claimRef"] = reference
    kubectl.apply(as_list([volume, published_claim(claim, namespace, name)]))


def published_claim(claim: str, namespace: str, volume: str) -> dict[str, Any]:
    """The claim of a published directory."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": STORAGE_CLASS,
            "volumeName": volume,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
