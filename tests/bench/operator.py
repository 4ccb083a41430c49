"""What the operator costs: API writes of one loop, writes and reads at rest, memory.

`make bench-operator`, after `make demo`: reads the audit log of the demo's cluster and the operator's own metrics.
One JSON line a figure, in the names of docs/reference.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.demo.install import connect
from examples.demo.settings import NAMESPACE, RELEASE, cluster_name
from examples.demo.shell import Kubectl
from tests.cluster import api as cluster

WRITES = frozenset({"create", "update", "patch", "delete"})
REST_SECONDS = 60
USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}-operator"


def requests(path: Path) -> Iterator[dict[str, Any]]:
    """The operator's requests in the audit log."""
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry.get("user", {}).get("username") == USER and entry.get("stage") == "ResponseComplete":
            yield entry


def writes(entries: Iterable[dict[str, Any]]) -> Counter[str]:
    """Writes by resource; the lease's renewals apart, as they do not depend on loops."""
    return Counter(
        entry["objectRef"]["resource"]
        + ("/" + entry["objectRef"]["subresource"] if entry["objectRef"].get("subresource") else "")
        for entry in entries
        if entry["verb"] in WRITES
    )


def since(entries: Iterable[dict[str, Any]], moment: datetime) -> list[dict[str, Any]]:
    return [e for e in entries if datetime.fromisoformat(e["requestReceivedTimestamp"]) >= moment]


def created(kubectl: Kubectl) -> datetime:
    """When the loop of the last demo was applied."""
    loops = (kubectl.get("feedbackloops") or {}).get("items", [])
    if not loops:
        raise SystemExit("there is no loop: run `make demo` first")
    return datetime.fromisoformat(max(loop["metadata"]["creationTimestamp"] for loop in loops))


def figure(name: str, value: float, unit: str, **more: object) -> None:
    print(json.dumps({"figure": name, "value": round(value, 2), "unit": unit, **more, "load": os.getloadavg()[0]}))


def memory_mib(kubectl: Kubectl) -> float:
    pods = kubectl.get("pods", "-l", "app.kubernetes.io/component=operator") or kubectl.get("pods") or {}
    pod = next(p for p in pods["items"] if p["metadata"]["name"].startswith(f"{RELEASE}-operator"))
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    value = next(line.split()[1] for line in lines if line.startswith("process_resident_memory_bytes"))
    return float(value) / 2**20


def main() -> None:
    kubectl, audit = connect(), cluster.audit_log(cluster_name())
    total = writes(since(requests(audit), created(kubectl)))
    leases = total.pop("leases", 0)
    figure(
        "operator.writes_per_loop",
        sum(total.values()),
        "requests",
        by_resource=dict(total.most_common()),
        lease_writes=leases,
    )
    start = datetime.now(UTC)
    time.sleep(REST_SECONDS)  # the figure is what happens in this time
    rest = since(requests(audit), start)
    resting = writes(rest)
    lease_writes = resting.pop("leases", 0)
    figure("operator.idle_writes", sum(resting.values()), "requests a minute", goal="==0", lease_writes=lease_writes)
    reads = [e for e in rest if e["verb"] not in WRITES]
    figure("operator.idle_requests", len(reads), "requests a minute", by_verb=dict(Counter(e["verb"] for e in reads)))
    figure("operator.rss_mib_1", memory_mib(kubectl), "MiB")


if __name__ == "__main__":
    main()
