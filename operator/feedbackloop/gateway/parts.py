"""The parts of a gateway that has joined its loop, made from its volume in the order in which they need each other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from feedbackloop.api.collection import Durability
from feedbackloop.events.keys import LoopKeys
from feedbackloop.events.ledger.chain import Signer
from feedbackloop.events.tokens import TokenSealer
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.joining.join import Pod
from feedbackloop.gateway.joining.secret import LoopSecret
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.peers.ownership import ordinal_of
from feedbackloop.gateway.peers.peers import Peers
from feedbackloop.gateway.peers.seal import PeerSeal
from feedbackloop.gateway.restore import Restored, restore
from feedbackloop.gateway.settings import Settings
from feedbackloop.gateway.shadow import candidate
from feedbackloop.gateway.shadow.mirror import Mirror
from feedbackloop.gateway.uploader import Uploader
from feedbackloop.gateway.upstream import Upstream
from feedbackloop.gateway.volume import Volume


@dataclass
class Parts:
    """What works while the gateway serves."""

    volume: Volume
    journal: Journal
    core: Core
    uploader: Uploader
    seal: PeerSeal
    peers: Peers
    upstream: Upstream
    shadows: Upstream
    mirror: Mirror
    damaged: int
    """Segments of which something was lost."""


async def open_parts(settings: Settings, applied: Applied, pod: Pod, secret: LoopSecret) -> Parts:
    """Restores the volume. Raises EnvelopeError for another key or altered files."""
    uid, volume = applied.config.loop.uid, pod.volume
    loop_keys = LoopKeys.of(secret.current)
    dedupe = Dedupe(loop_keys.dedupe)
    restored = await asyncio.to_thread(restore, volume, kek=pod.kek, dedupe=dedupe)
    journal = Journal(volume, kek=pod.kek, loop_uid=uid, pod=pod.name, state=restored.state, dedupe=dedupe)
    _resume(journal, restored, settings.volume_bytes)
    # Before its first entry: what is answered only when it is stored must not wait for what came before that.
    journal.wait_for_storage(applied.config.collection.durability is Durability.OBJECT_STORE)
    core = Core(applied=applied, journal=journal, keys=loop_keys, sealer=_sealer(loop_keys, secret, uid))
    core.metrics["damaged_segments"] = restored.damaged
    seal, shadows = PeerSeal(secret.current, uid), Upstream(read_seconds=candidate.READ_SECONDS)
    return Parts(
        volume=volume,
        journal=journal,
        core=core,
        uploader=_uploader(pod, core, restored),
        seal=seal,
        peers=Peers(seal, ordinal_of(pod.name), journal, core.metrics),
        upstream=Upstream(),
        shadows=shadows,
        mirror=Mirror(core, shadows),
        damaged=restored.damaged,
    )


def _resume(journal: Journal, restored: Restored, volume_bytes: int) -> None:
    journal.limit_bytes = volume_bytes or journal.limit_bytes
    journal.position = restored.position
    journal.start(restored.next_segment)
    for sealed in restored.waiting:
        journal.sealed_bytes += sealed.length
        journal.sealed.put_nowait(sealed)


def _sealer(current: LoopKeys, secret: LoopSecret, uid: str) -> TokenSealer:
    former = [LoopKeys.of(secret.former).token] if secret.former else []
    return TokenSealer(key=current.token, loop_uid=uid, former=former)


def _uploader(pod: Pod, core: Core, restored: Restored) -> Uploader:
    made = Uploader(
        core.journal,
        pod.volume,
        kek=pod.kek,
        pod=pod.name,
        secrets=pod.secrets,
        applied=lambda: core.applied,
        uploaded=restored.uploaded,
    )
    made.signer = Signer(core.keys.ledger)
    return made
