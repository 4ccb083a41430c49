"""A volume with acknowledged events and two segments, and gateways that start on altered copies of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gateway.process import Gateway, free_port
from tests.gateway.waiting import wait_for
from tests.hostile.world import World

EVENTS = 10
"""In each of the two segments, every one in a frame of its own."""


@dataclass(frozen=True)
class Template:
    """A gateway that was killed, and how many comments it had acknowledged."""

    gateway: Gateway
    comments: int = 2 * EVENTS


def make(world: World) -> Template:
    """Two segments of a gateway whose storage went away as soon as it had started."""
    gateway = _gateway(world, world.folder / "template", world.gateway.config["storage"])
    away = gateway.config | {"storage": gateway.config["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}}
    for _ in range(2):
        gateway.start()
        _configure(gateway, away)
        token = gateway.token()
        for _ in range(EVENTS):
            assert gateway.vote(token, world.event()).status == 202
        gateway.kill()
    return Template(gateway)


def _configure(gateway: Gateway, config: dict[str, Any]) -> None:
    if gateway.config != config:
        before = gateway.status()["revision"]
        gateway.configure(config)
        wait_for(lambda: gateway.status()["revision"] != before, "the configuration is applied")


def _gateway(world: World, root: Path, storage: dict[str, Any]) -> Gateway:
    base = world.gateway.config
    prefix = f"{uuid.uuid4().hex}/{base['loop']['uid']}/"
    config = base | {"storage": storage | {"prefix": prefix}, "collection": base["collection"] | {"flushSeconds": 3600}}
    root.mkdir()
    made = Gateway(root, config, world.credentials)
    made.kek = world.gateway.kek
    (root / "secrets" / "kek" / "key").write_bytes(made.kek)
    return made


def copied(world: World, template: Template) -> Gateway:
    """A gateway that is not started, on a copy of the template's volume, with its keys and its prefix."""
    root = world.folder / f"copy-{uuid.uuid4().hex}"
    made = _gateway(world, root, template.gateway.config["storage"])
    made.configure(template.gateway.config)
    shutil.copytree(template.gateway.volume, made.volume)
    return made


def outcome(gateway: Gateway, template: Template) -> dict[str, Any]:
    """What becomes of a start: refused, or how many of the acknowledged comments are counted, and whether damage is
    told."""
    gateway.start(ready=False)
    try:
        started = wait_for(lambda: _state(gateway), "it is ready or has ended", 40)
        if started == "ended":
            return {"start": "refused"}
        metrics = gateway.call(gateway.admin, "GET", "/metrics").body.decode()
        line = next(
            line for line in metrics.splitlines() if line.startswith("feedbackloop_gateway_log_damaged_segments")
        )
        comments = gateway.status()["bySignal"].get("note", 0)
        return {"start": "up", "fewer": template.comments - comments, "damage told": float(line.split()[1]) > 0}
    finally:
        gateway.kill()


def _state(gateway: Gateway) -> str:
    if gateway.ended() or b" waiting: " in gateway.log_path.read_bytes():
        return "ended"  # or it says what it lacks, and serves nothing meanwhile
    try:
        return "ready" if gateway.is_ready() else ""
    except AssertionError:  # it ended between the two questions
        return "ended"


def segments(gateway: Gateway) -> list[Path]:
    """Oldest first."""
    return sorted((gateway.volume / "wal").glob("*.seg"))


def edit(path: Path, change: Callable[[bytearray], None]) -> None:
    """Changes a file's bytes in place."""
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def frames(path: Path) -> list[tuple[int, int]]:
    """Where each frame of a segment begins and ends, by the lengths in the file (see `events.segment`)."""
    data, at, found = path.read_bytes(), 6, []
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        found.append((at, end))
        at = end
    return found[1:]  # the first is the header
