from __future__ import annotations

import copy

import pytest

from feedbackloop.domain.replay import tape


def parts(lines: int, size: int = 1000) -> list[tape.Part]:
    part, full = tape.Part(), []
    for n in range(lines):
        following = part.plus(f"{n:04d}".ljust(size, "x"))
        full += [part] if following.number != part.number else []
        part = following
    return [*full, part]


def objects(lines: int) -> list[tape.Json]:
    return [tape.config_map(part, namespace="ml", run="r", uid="u1") for part in parts(lines)]


def test_a_full_part_is_followed_by_another_and_all_are_read_in_order() -> None:
    made = objects(600)
    assert [o["metadata"]["name"] for o in made] == ["r-replay-0", "r-replay-1", "r-replay-2"]
    read = tape.parts(reversed(made), "u1")
    assert [line[:4] for part in read for line in part.text.splitlines()] == [f"{n:04d}" for n in range(600)]


def test_a_part_goes_with_its_run_and_is_no_child_of_the_loop() -> None:
    (body,) = objects(1)
    assert body["metadata"]["ownerReferences"][0]["uid"] == "u1"
    assert list(body["metadata"]["labels"]) == ["feedbackloop.dev/replay"], "a loop's label would wake its reconciler"


def test_parts_of_other_runs_are_not_read() -> None:
    assert tape.parts(objects(3), "u2") == ()


def test_a_missing_or_broken_part_is_told() -> None:
    made = objects(600)
    with pytest.raises(ValueError, match="part 1 of the record is missing"):
        tape.parts([made[0], made[2]], "u1")
    for data in ("bm8=", "?", ""):
        broken = copy.deepcopy(made)
        broken[1]["binaryData"][tape.FILE] = data
        with pytest.raises(ValueError, match="r-replay-1 is no part of a record"):
            tape.parts(broken, "u1")


def test_even_a_part_of_noise_fits_into_an_object() -> None:
    """A ConfigMap may have 1 MiB."""
    noise = "".join(chr(33 + (n * n * 7919) % 90) for n in range(2 * tape.PART_BYTES))
    body = tape.config_map(tape.Part(0, noise), namespace="ml", run="r", uid="u1")
    assert len(body["binaryData"][tape.FILE]) < 1024 * 1024
