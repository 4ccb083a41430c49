"""What must hold after a class of cases, whatever they were."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from pathlib import Path

from tests.gateway.stored import uploaded
from tests.hostile.classes import LEAST
from tests.hostile.world import PEAK_MIB, World


def holds(world: World, cases: Sized) -> None:
    """All of it, after enough cases."""
    assert len(cases) >= LEAST
    serves(world)
    law_holds(world)
    memory_is_bounded(world)
    nothing_readable(world)


def serves(world: World) -> None:
    """The gateway is up and takes a good event."""
    assert world.gateway.call(world.gateway.admin, "GET", "/livez").status == 200
    assert world.post(world.event()).status == 202


def memory_is_bounded(world: World) -> None:
    peak = world.peak_mib()
    assert peak <= PEAK_MIB, f"{peak:.0f} MiB at its peak"


def law_holds(world: World) -> None:
    status = world.gateway.status()
    assert status["accepted"] == status["stored"] + status["duplicate"] + status["badRows"], status


def nothing_readable(world: World) -> None:
    """No canary in the process's output, in metrics or status, on the volume or in object storage."""
    uploaded(world.gateway)
    for place, content in _places(world):
        found = [canary for canary in world.canaries if canary.encode() in content]
        assert not found, f"{len(found)} canaries in {place}"
    assert b"Traceback" not in world.gateway.log_path.read_bytes(), "an exception was not caught"


def _places(world: World) -> Iterator[tuple[str, bytes]]:
    gateway = world.gateway
    yield "the log output", gateway.log_path.read_bytes()
    for path in ("/status", "/metrics", "/readyz"):
        yield path, gateway.call(gateway.admin, "GET", path).body
    for file in sorted(Path(gateway.volume).rglob("*")):
        if file.is_file():
            yield f"the volume's {file.name}", file.read_bytes()
    for name in world.objects.list(gateway.prefix):
        yield f"the object {name}", name.encode() + world.objects.get(name)
