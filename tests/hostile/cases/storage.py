"""Storage and crypto: objects, keys and volume files altered, exchanged, shortened and replayed behind the gateway's back."""

# ruff: noqa: E501 - the lists are tables
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.identifiers import Algorithm

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events import envelope, store
from feedbackloop.events.errors import EventsError
from feedbackloop.events.keys import Kek
from feedbackloop.events.ledger.verify import verify
from tests.gateway.stored import keyring
from tests.hostile import volumes
from tests.hostile.case import Case
from tests.hostile.volumes import Template, copied, edit, frames, segments
from tests.hostile.world import World

POD = "bot-gateway-0"
Change = Callable[[bytes], bytes]
REFUSED = "refused"


def read(world: World, kek: Kek | None = None) -> str:
    """What a job gets: `refused`, or how many records."""
    cut = [PodOffset(pod=POD, offset=world.notes["offset"], trainable=0)]
    try:
        count = len(list(store.read_events(world.objects, world.gateway.prefix, cut, kek or keyring(world.gateway))))
    except EventsError:
        return REFUSED
    return "everything" if count == world.notes["offset"] else f"{count} records"


def read_bad_rows(world: World) -> str:
    try:
        return f"{len(list(store.read_badrows(world.objects, world.gateway.prefix, keyring(world.gateway))))} rows"
    except EventsError:
        return REFUSED


def keys_below(world: World, folder: str) -> list[str]:
    return sorted(world.objects.list(f"{world.gateway.prefix}{folder}"))


def with_objects(change: Callable[[World, list[str]], dict[str, bytes | None]], folder: str = "events/",
                 look: Callable[[World], str] = read) -> Callable[[World], str]:  # fmt: skip
    """Puts other bytes under the folder's keys (None: deletes), reads, and puts everything back."""

    def act(world: World) -> str:
        names = keys_below(world, folder)
        before = {name: world.objects.get(name) for name in names}
        altered = change(world, names)
        try:
            for name, data in altered.items():
                world.objects.delete(name) if data is None else world.objects.put(name, data)
            return look(world)
        finally:
            for name in altered:
                world.objects.put(name, before[name]) if name in before else world.objects.delete(name)

    return act


def first(change: Change, folder: str = "events/", look: Callable[[World], str] = read) -> Callable[[World], str]:
    """Changes the first object of a folder."""
    return with_objects(lambda world, names: {names[0]: change(world.objects.get(names[0]))}, folder, look)


def each(change: Change, folder: str) -> Callable[[World], str]:
    """Changes every object of a folder."""
    return with_objects(lambda world, names: {name: change(world.objects.get(name)) for name in names}, folder)


def flip(at: float) -> Change:
    """A bit at a share of the length."""

    def change(data: bytes) -> bytes:
        place = min(len(data) - 1, int(len(data) * at))
        return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]

    return change


def swapped(world: World, names: list[str]) -> dict[str, bytes | None]:
    a, b = names[:2]
    return {a: world.objects.get(b), b: world.objects.get(a)}


def replayed(world: World, names: list[str]) -> dict[str, bytes | None]:
    """The oldest object under the newest one's name."""
    return {names[-1]: world.objects.get(names[0])}


def renamed(world: World, names: list[str]) -> dict[str, bytes | None]:
    """An object under a name that claims other numbers."""
    head, _, name = names[-1].rpartition("/")
    low, _, high = name.removesuffix(".seg").partition("-")
    return {names[-1]: None, f"{head}/{low}-{int(high) + 1:020}.seg": world.objects.get(names[-1])}


def bad_rows_as_events(world: World, names: list[str]) -> dict[str, bytes | None]:
    return {names[0]: world.objects.get(keys_below(world, "badrows/")[0])}


def under_another_key(world: World, names: list[str]) -> dict[str, bytes | None]:
    return {names[0]: store.seal([b"\x01" + world.canary().encode()], key=names[0], kek=Kek.of(os.urandom(32)))}


def without_commitment(world: World, names: list[str]) -> dict[str, bytes | None]:
    """The right key and the right context, sealed by a suite whose ciphertext can be made to open under two keys."""
    ring = keyring(world.gateway)
    plain = envelope.decrypt(world.objects.get(names[0]), kek=ring, context=store._context(names[0]))
    provider = envelope._KekProvider(ring)
    provider.add_master_key(ring.current)
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    sealed, _ = client.encrypt(
        source=plain,
        key_provider=provider,
        algorithm=Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA256,
        encryption_context=store._context(names[0]),
    )
    return {names[0]: bytes(sealed)}


def other_context(world: World, names: list[str]) -> dict[str, bytes | None]:
    """The right key, sealed for another object."""
    return {names[0]: store.seal([b"\x01"], key=names[1], kek=keyring(world.gateway))}


def wrong_root(world: World) -> str:
    return read(world, Kek.of(os.urandom(32)))


def ledger(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[World], str]:
    """The first ledger file with its lines changed, before the verifier."""

    def act(world: World) -> str:
        base = f"{world.gateway.prefix}ledger/"
        files = {name.removeprefix(base): world.objects.get(name) for name in keys_below(world, "ledger/")}
        assert files, "there is no ledger"
        named = sorted(files)[0]
        files[named] = b"".join(change(files[named].splitlines(keepends=True)))
        (key,) = {world.gateway.status()["ledger"]["publicKey"]}
        return "good" if all(report.problem is None for report in verify(files, key)) else REFUSED

    return act


def restarted(change: Callable[[Any], None]) -> Callable[[World], dict[str, Any]]:
    """A start on a copy of the volume that was changed by `change(gateway)`."""

    def act(world: World) -> dict[str, Any]:
        template: Template = world.notes["template"]
        gateway = copied(world, template)
        change(gateway)
        found = volumes.outcome(gateway, template)
        world.notes.setdefault("logs", []).append(gateway.log_path)
        return found

    return act


def in_segment(number: int, change: Callable[[bytearray, list[tuple[int, int]]], None]) -> Callable[[Any], None]:
    """Changes the bytes of a segment (0: the older one), told where its frames are."""

    def act(gateway: Any) -> None:
        path = segments(gateway)[number]
        places = frames(path)
        edit(path, lambda data: change(data, places))

    return act


def torn(data: bytearray, places: list[tuple[int, int]]) -> None:
    """Half a frame behind the last: what a crash leaves."""
    start, end = places[0]
    data += data[start : start + (end - start) // 2]


def cut(data: bytearray, places: list[tuple[int, int]]) -> None:
    del data[places[-1][0] + 9 :]


def bit(at: Callable[[list[tuple[int, int]]], int]) -> Callable[[bytearray, list[tuple[int, int]]], None]:
    def change(data: bytearray, places: list[tuple[int, int]]) -> None:
        data[at(places)] ^= 4

    return change


def doubled(data: bytearray, places: list[tuple[int, int]]) -> None:
    """A frame behind itself once more."""
    start, end = places[3]
    data[end:end] = data[start:end]


def reordered(data: bytearray, places: list[tuple[int, int]]) -> None:
    (a, b), (_, c) = places[3], places[4]
    data[a:c] = data[b:c] + data[a:b]


def removed(data: bytearray, places: list[tuple[int, int]]) -> None:
    start, end = places[4]
    del data[start:end]


def names_exchanged(gateway: Any) -> None:
    older, newer = segments(gateway)
    held = older.read_bytes()
    older.write_bytes(newer.read_bytes())
    newer.write_bytes(held)


def replayed_segment(gateway: Any) -> None:
    """The older segment once more, as the newest."""
    older, newer = segments(gateway)
    (newer.parent / f"{int(newer.stem) + 1:012}.seg").write_bytes(older.read_bytes())


def older_deleted(gateway: Any) -> None:
    segments(gateway)[0].unlink()


def empty_newest(gateway: Any) -> None:
    newest = segments(gateway)[-1]
    (newest.parent / f"{int(newest.stem) + 1:012}.seg").write_bytes(b"")


def on_volume(name: str, change: Change) -> Callable[[Any], None]:
    """Changes one file of the volume; it must be there."""

    def act(gateway: Any) -> None:
        found = sorted(gateway.volume.glob(name))
        assert found, f"there is no {name}"
        found[0].write_bytes(change(found[0].read_bytes()))

    return act


def other_root_key(gateway: Any) -> None:
    (gateway.root / "secrets" / "kek" / "key").write_bytes(os.urandom(32))


def fill_up(world: World) -> Any:
    """A volume with a small bound, and storage that takes nothing: 503 with Retry-After, then everything is there."""
    gateway = copied(world, world.notes["template"])
    gateway._extra["FL_VOLUME_BYTES"] = "60000"
    gateway.start()
    try:
        token, accepted, refused = gateway.token(), 0, None
        while refused is None:
            reply = gateway.vote(token, world.event("note", world.canary() + "x" * 4000))
            accepted, refused = (accepted + 1, None) if reply.status == 202 else (accepted, reply)
        full = refused.status, "retry-after" in refused.headers
        gateway.kill()
        gateway.start()
        return *full, world.notes["template"].comments + accepted - gateway.status()["bySignal"]["note"]
    finally:
        gateway.kill()


def two_on_one_volume(world: World) -> str:
    """A second process on the volume of a running one."""
    base = world.gateway
    other = copied(world, world.notes["template"])
    other.volume = base.volume
    return str(volumes.outcome(other, world.notes["template"])["start"])


def damaged(*fewer: int) -> list[dict[str, Any]]:
    """Damage is told, and so many comments are missing (their numbers are kept)."""
    return [{"start": "up", "fewer": count, "damage told": True} for count in fewer]


WHOLE = {"start": "up", "fewer": 0, "damage told": False}
STOPPED = {"start": "refused"}
ONE_LOST = {"start": "up", "fewer": 1, "damage told": False}

CASES = [
    Case("S01", "nothing altered (what the next cases are compared with)", "everything is read", read, "everything"),
    Case("S02", "two segments exchanged", "refused", with_objects(swapped), REFUSED),
    Case("S03", "an old segment under the newest one's name", "refused", with_objects(replayed), REFUSED),
    Case("S04", "a segment under a name that claims other numbers", "refused", with_objects(renamed), REFUSED),
    Case("S05", "a segment missing", "refused: a gap is no end", with_objects(lambda w, names: {names[0]: None}), REFUSED),
    Case("S06", "a segment cut short", "refused", first(lambda data: data[:-20]), REFUSED),
    Case("S07", "an empty object", "refused", first(lambda data: b""), REFUSED),
    Case("S08", "bytes behind a segment", "refused", first(lambda data: data + b"\x00" * 16), [REFUSED, "everything"], any_of=True),
    Case("S09", "a flipped bit in a segment's header", "refused", first(flip(0.02)), REFUSED),
    Case("S10", "a flipped bit in the wrapped key", "refused", first(flip(0.2)), REFUSED),
    Case("S11", "a flipped bit in the middle", "refused", first(flip(0.6)), REFUSED),
    Case("S12", "a flipped bit in the last byte", "refused", first(flip(1.0)), REFUSED),
    Case("S13", "bad rows in place of events", "refused", with_objects(bad_rows_as_events), REFUSED),
    Case("S14", "an object sealed under another key", "refused", with_objects(under_another_key), REFUSED),
    Case("S15", "an object sealed for another name under the right key", "refused", with_objects(other_context), REFUSED),
    Case("S16", "a suite without key commitment under the right key (two-key ciphertext)", "refused", with_objects(without_commitment), REFUSED),
    Case("S17", "another root key", "refused", wrong_root, REFUSED),
    Case("S18", "a bad-row object altered", "refused", first(flip(0.5), "badrows/", read_bad_rows), REFUSED),
    Case("S19", "every table of subject keys altered", "refused", each(flip(0.7), "keys/shards/"), REFUSED),
    Case("S20", "every table of subject keys cut short", "refused", each(lambda data: data[: len(data) // 2], "keys/shards/"), REFUSED),
    Case("S21", "the wrapped data keys altered", "refused", each(flip(0.9), "keys/outer/"), REFUSED),
    Case("S22", "the keys that wrap subject keys altered", "refused", each(flip(0.9), "keys/inner/"), REFUSED),
    Case("S23", "the subjects' tables gone, without tombstones", "refused: a lost key does not look like an erasure",
         with_objects(lambda w, names: dict.fromkeys(names), "keys/shards/"), REFUSED),
    Case("S24", "the ledger as it is (what the next cases are compared with)", "good", ledger(lambda lines: lines), "good"),
    Case("S25", "a character of a ledger entry changed", "the verifier refuses it",
         ledger(lambda lines: [lines[0].replace(b'"seq":1', b'"seq":2', 1), *lines[1:]]), REFUSED),
    Case("S26", "a ledger entry removed", "the verifier refuses it", ledger(lambda lines: lines[1:]), REFUSED),
    Case("S27", "a ledger entry twice", "the verifier refuses it", ledger(lambda lines: [lines[0], *lines]), REFUSED),
    Case("S28", "the ledger's signed checkpoint removed", "the verifier refuses it", ledger(lambda lines: lines[:-1]), REFUSED),
    Case("S29", "the volume as it was (what the next cases are compared with)", "starts with everything", restarted(lambda gateway: None), WHOLE),
    Case("S30", "half a frame at the end of the newest segment", "it was never acknowledged: dropped, all others there", restarted(in_segment(-1, torn)), WHOLE),
    Case("S31", "zeros behind the newest segment", "dropped, all records there",
         restarted(in_segment(-1, lambda data, places: data.extend(bytes(4096)))), [WHOLE, *damaged(0)], any_of=True),
    Case("S32", "the newest segment's last frame cut through", "only that frame is missing", restarted(in_segment(-1, cut)), ONE_LOST),
    Case("S33", "an empty segment file", "starts with everything", restarted(empty_newest), WHOLE),
    Case("S34", "a flipped bit in a frame of the older segment", "the others are read, the numbers stay, damage is told",
         restarted(in_segment(0, bit(lambda places: places[3][0] + 30))), damaged(0, 1), any_of=True),
    Case("S35", "a flipped bit in a frame's length", "damage is told, no number is given out twice",
         restarted(in_segment(0, bit(lambda places: places[3][0] + 3))), damaged(*range(1, 11)), any_of=True),
    Case("S36", "a flipped bit in the older segment's header", "set aside, damage is told, the numbers stay",
         restarted(in_segment(0, bit(lambda places: 40))), damaged(10), any_of=True),
    Case("S37", "a frame twice", "not counted twice, damage is told", restarted(in_segment(0, doubled)), damaged(0), any_of=True),
    Case("S38", "two frames in another order", "damage is told", restarted(in_segment(0, reordered)), damaged(0, 1, 2), any_of=True),
    Case("S39", "a frame cut out of the middle", "its number is kept as lost, damage is told", restarted(in_segment(0, removed)), damaged(1), any_of=True),
    Case("S40", "two segments' names exchanged", "refused, or damage is told", restarted(names_exchanged), [STOPPED, *damaged(*range(21))], any_of=True),
    Case("S41", "the older segment once more as the newest", "not counted twice", restarted(replayed_segment), [STOPPED, WHOLE, *damaged(0)], any_of=True),
    Case("S42", "the older segment deleted", "the numbers are not given out again, or it does not start", restarted(older_deleted),
         [STOPPED, *damaged(10)], any_of=True),
    Case("S43", "a flipped bit in the volume's secret", "does not start, or takes the shared one",
         restarted(on_volume("*secret*", flip(0.5))), [STOPPED, WHOLE], any_of=True),
    Case("S44", "another root key for the gateway", "serves nothing", restarted(other_root_key), STOPPED),
    Case("S45", "a flipped bit in a cached data key", "does not start, or fetches it anew", restarted(on_volume("keys/outer*", flip(0.8))),
         [STOPPED, WHOLE], any_of=True),
    Case("S46", "a bit of the saved configuration flipped", "the current one is taken", restarted(on_volume("config.json", flip(0.5))), WHOLE),
    Case("S47", "a second process on a volume in use", "does not start", two_on_one_volume, "refused"),
    Case("S48", "a volume filled up while storage is away", "503 with Retry-After, nothing acknowledged is lost", fill_up, (503, True, 0)),
]  # fmt: skip
