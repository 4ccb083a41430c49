"""Whatever is done to a ledger, the verifier names the first bad entry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.events import canonical
from feedbackloop.events.ledger import verify as v
from feedbackloop.events.ledger.chain import Head, Signer, file_of, hash_of

SIGNER = Signer(b"s" * 32)
SIZES = (3, 1, 5, 2)
TOTAL = sum(SIZES)
REPOSITORY = Path(__file__).resolve().parents[4]


def made(origin: str = "gw-0", signer: Signer = SIGNER, sizes: tuple[int, ...] = SIZES) -> dict[str, bytes]:
    """Files of a chain, like the uploader writes them."""
    files, head, number = {}, Head(), 0
    for size in sizes:
        contents = [
            {"kind": "consent", "at": 1000 + number + i, "record": 10 * (number + i), "subject": f"s{number + i}"}
            for i in range(size)
        ]
        file = file_of(contents, head, origin=origin, signer=signer)
        assert file is not None
        files[f"{origin}/{file.name}"], head, number = file.data, file.head, number + size
    return files


def problem(files: dict[str, bytes], **heads: Head) -> v.Problem | None:
    (report,) = v.verify(files, SIGNER.public_key, {origin.replace("_", "-"): [head] for origin, head in heads.items()})
    return report.problem


def place(seq: int) -> tuple[str, int]:
    """The file and the line (from 0) of an entry."""
    at = 0
    for name, size in zip(sorted(made()), SIZES, strict=True):
        if seq <= at + size:
            return name, seq - at - 1
        at += size
    raise AssertionError(seq)


def lines_of(files: dict[str, bytes], name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)


def test_a_whole_ledger_is_good_and_its_head_is_told() -> None:
    (report,) = v.verify(made(), SIGNER.public_key)
    assert report.problem is None
    assert report.head.seq == TOTAL


@pytest.mark.parametrize("seq", range(1, TOTAL + 1))
def test_every_flipped_byte_of_an_entry_is_named(seq: int) -> None:
    name, line = place(seq)
    whole = made()
    original = lines_of(whole, name)[line]
    for at in range(len(original)):
        lines = lines_of(whole, name)
        lines[line] = original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :]
        found = problem({**whole, name: b"".join(lines)})
        assert found is not None, at
        assert (found.file, found.seq) == (name, seq), at


@pytest.mark.parametrize("seq", range(1, TOTAL + 1))
def test_a_changed_value_with_its_hash_made_anew_breaks_the_next_link_or_the_signature(seq: int) -> None:
    name, line = place(seq)
    files = made()
    lines = lines_of(files, name)
    entry = json.loads(lines[line]) | {"subject": "another"}
    lines[line] = canonical.encode(entry | {"hash": hash_of(entry)}) + b"\n"
    found = problem({**files, name: b"".join(lines)})
    assert found is not None
    last_of_file = line == len(lines) - 2
    assert found.what == (v.HEAD if last_of_file else v.LINK)
    assert found.file == name


@pytest.mark.parametrize("seq", range(1, TOTAL + 1))
def test_a_deleted_entry_is_named(seq: int) -> None:
    name, line = place(seq)
    files = made()
    lines = lines_of(files, name)
    del lines[line]
    found = problem({**files, name: b"".join(lines)})
    assert found is not None
    assert (found.file, found.seq) == (name, seq)
    assert found.what in (v.GAP, v.TRUNCATED)


@pytest.mark.parametrize("seq", range(1, TOTAL))
def test_two_exchanged_entries_are_named(seq: int) -> None:
    (name, line), (other, next_line) = place(seq), place(seq + 1)
    files = made()
    one, two = lines_of(files, name)[line], lines_of(files, other)[next_line]
    for file, at, value in ((name, line, two), (other, next_line, one)):
        lines = lines_of(files, file)
        lines[at] = value
        files[file] = b"".join(lines)
    found = problem(files)
    assert found is not None
    assert (found.file, found.seq) == (name, seq)


@pytest.mark.parametrize("seq", range(1, TOTAL + 1))
def test_an_inserted_entry_is_named(seq: int) -> None:
    name, line = place(seq)
    files = made()
    lines = lines_of(files, name)
    lines.insert(line, lines[line])
    found = problem({**files, name: b"".join(lines)})
    assert found is not None
    assert (found.file, found.what) == (name, v.ORDER if line + 1 < len(lines) - 1 else found.what)
    assert found.seq == seq + 1


@pytest.mark.parametrize("name", sorted(made()))
def test_a_deleted_file_is_a_gap_and_at_the_end_a_cut_that_a_known_head_betrays(name: str) -> None:
    files = made()
    head = v.verify(files, SIGNER.public_key)[0].head
    del files[name]
    found = problem(files, gw_0=head)
    assert found is not None
    assert found.what == (v.TRUNCATED if name == max(made()) else v.GAP)
    assert found.seq == int(name.partition("/")[2][:20])


@pytest.mark.parametrize("keep", range(0, 400, 7))
def test_a_file_cut_off_anywhere_is_not_whole(keep: int) -> None:
    files = made(sizes=(2,))
    ((name, data),) = files.items()
    keep = min(keep, len(data) - 1)
    found = problem({name: data[:keep]})
    assert found is not None
    assert found.file == name


def test_two_files_of_one_number_are_a_fork() -> None:
    files = made()
    first = sorted(files)[0]
    forked = made(sizes=(1,))
    files |= forked
    found = problem(files)
    assert found is not None
    assert found.what == v.FORK
    assert found.file == first


def test_a_forger_without_the_key_is_caught_by_the_signature() -> None:
    found = problem(made(signer=Signer(b"f" * 32)))
    assert found is not None
    assert (found.what, found.seq) == (v.SIGNATURE, SIZES[0])


def test_the_ledger_of_another_pod_is_refused_under_this_name() -> None:
    moved = {name.replace("gw-1", "gw-0"): data for name, data in made("gw-1").items()}
    found = problem(moved)
    assert found is not None
    assert found.what == v.HEAD


def test_a_head_that_another_ledger_names_betrays_a_rewritten_chain() -> None:
    """The chain was made anew with the key, shorter; the job's entry remembers what it was."""
    was = v.verify(made(), SIGNER.public_key)[0].head
    told = {"kind": "audit", "at": 1, "heads": {"gw-0": {"seq": was.seq, "hash": was.hash}}}
    job = file_of([told], Head(), origin="run-1", signer=SIGNER)
    assert job is not None
    jobs = {f"run-1/{job.name}": job.data}
    good = v.verify({**made(), **jobs}, SIGNER.public_key)
    assert [report.problem for report in good] == [None, None]
    for sizes, what in (((3, 1), v.TRUNCATED), ((4, 7), v.FORK)):
        made_anew = made(sizes=sizes) if what == v.TRUNCATED else rewritten(sizes)
        reports = {report.origin: report for report in v.verify({**made_anew, **jobs}, SIGNER.public_key)}
        found = reports["gw-0"].problem
        assert found is not None
        assert found.what == what


def rewritten(sizes: tuple[int, ...]) -> dict[str, bytes]:
    files, head = {}, Head()
    for size in sizes:
        file = file_of([{"kind": "consent", "at": 5, "subject": "x"}] * size, head, origin="gw-0", signer=SIGNER)
        assert file is not None
        files[f"gw-0/{file.name}"], head = file.data, file.head
    return files


@pytest.mark.parametrize("line", [b"[]", b"{", b"null", b'{"seq": 1}', b"\xff", b"[" * 100_000, b'{"seq":NaN}'])
def test_rubbish_is_named_and_no_crash(line: bytes) -> None:
    found = problem({f"gw-0/{1:020}-{1:020}.jsonl": line + b"\n" + line + b"\n"})
    assert found is not None
    assert found.what == v.FORM


def test_the_verifier_runs_alone(tmp_path: Path) -> None:
    for name, data in made().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert _run(tmp_path, SIGNER.public_key).returncode == 0
    bad = sorted(tmp_path.rglob("*.jsonl"))[1]
    bad.write_bytes(bad.read_bytes().replace(b'"s3"', b'"s4"'))
    ended = _run(tmp_path, SIGNER.public_key)
    assert ended.returncode == 1
    assert f"{bad.name}, line 1, entry 4: hash" in ended.stdout


def _run(directory: Path, key: str) -> subprocess.CompletedProcess[str]:
    """With nothing but the standard library and cryptography: any other import of ours or theirs fails."""
    code = (
        "import sys\n"
        "for name in ('msgspec', 'pydantic', 'boto3', 'yaml'): sys.modules[name] = None\n"
        "import runpy; sys.argv[0] = 'verify'\n"
        "runpy.run_module('feedbackloop.events.ledger.verify', run_name='__main__')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(directory), key],
        capture_output=True,
        text=True,
        cwd=REPOSITORY / "operator",
        check=False,
    )


def test_a_checkpoint_is_the_same_bytes_whenever_it_is_made() -> None:
    head: dict[str, Any] = {"origin": "a", "head": Head(3, "0" * 64), "at": 5}
    assert SIGNER.checkpoint(**head) == Signer(b"s" * 32).checkpoint(**head)
