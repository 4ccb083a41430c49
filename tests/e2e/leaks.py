"""Searches every store for private text that users typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from examples.demo.artefacts import admin_key, s3_client, service_ip
from examples.demo.settings import BUCKETS
from examples.demo.shell import CommandError, Kubectl

CANARIES = (b".canary@example.org", b"7946 0", b"4111 1111 1111 1111", b"4111111111111111", b"GB82 WEST", b"203.0.113.")
RESOURCES = "feedbackloops,improvementruns,erasurerequests,configmaps,pods,jobs,deployments,statefulsets,events"


def stores(kubectl: Kubectl, volumes: Path) -> Iterator[tuple[str, bytes]]:
    """(where, bytes) of everything that is kept: objects, volumes, Kubernetes objects and Events, logs."""
    yield from objects(kubectl)
    for path in sorted(p for p in volumes.rglob("*") if p.is_file()):
        yield f"volume {path.name}", path.read_bytes()
    yield "kubernetes objects", kubectl("get", RESOURCES, "-o", "json").encode()
    yield from logs(kubectl)


def objects(kubectl: Kubectl) -> Iterator[tuple[str, bytes]]:
    client: Any = s3_client(f"http://{service_ip(kubectl, 's3')}:8333", "admin", admin_key(kubectl))
    for bucket in BUCKETS:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                yield f"s3://{bucket}/{item['Key']}", client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()


def logs(kubectl: Kubectl) -> Iterator[tuple[str, bytes]]:
    pods = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
    for pod in pods:
        name = pod["metadata"]["name"]
        try:
            yield f"log {name}", kubectl("logs", name, "--all-containers", "--prefix").encode()
        except CommandError:
            continue  # a pod that has not started has no log


def found(kubectl: Kubectl, volumes: Path) -> list[str]:
    """Where private text stands; an empty list is what we promise."""
    return [f"{where}: {canary!r}" for where, data in stores(kubectl, volumes) for canary in CANARIES if canary in data]
