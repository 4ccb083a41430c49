"""Reading result files from a real S3."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedbackloop.adapters.objects import ObjectsAdapter
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient, UserError
from tests.support.seaweedfs import SeaweedFs, seaweedfs

pytestmark = pytest.mark.api


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFs]:
    with seaweedfs(tmp_path_factory.mktemp("s3")) as s3:
        s3.make_bucket("feedback")
        yield s3


@pytest.fixture
def objects(s3: SeaweedFs, tmp_path: Path) -> Iterator[ObjectsAdapter]:
    s3.write_secret(tmp_path / "minio")
    adapter = ObjectsAdapter(admin_config(s3.url, tmp_path))
    yield adapter
    adapter.close()


def admin_config(url: str, credentials: Path) -> AdminConfig:
    return AdminConfig.model_validate(
        {
            "endpoints": [{"name": "minio", "type": "S3", "url": url}],
            "profiles": [],
            "jobs": {"name": "jobs", "image": "x"},
            "gateway": {"image": "x"},
            "credentialsPath": str(credentials),
        }
    )


def put(s3: SeaweedFs, key: str, data: bytes) -> None:
    s3.client().put_object(Bucket="feedback", Key=key, Body=data)


async def test_a_file_is_read_with_the_digest_of_its_bytes(s3: SeaweedFs, objects: ObjectsAdapter) -> None:
    put(s3, "runs/a/result.json", b'{"outcome": "Succeeded"}\n')
    found = await objects.read_json("minio", "feedback", "runs/a/result.json")
    assert found == ({"outcome": "Succeeded"}, hashlib.sha256(b'{"outcome": "Succeeded"}\n').hexdigest())


async def test_a_file_that_is_absent_is_none(objects: ObjectsAdapter) -> None:
    assert await objects.read_json("minio", "feedback", "runs/absent.json") is None


@pytest.mark.parametrize("data", [b"{", b"[1]", b"\xff"])
async def test_a_file_that_is_no_json_object_is_never_taken_for_absent(
    s3: SeaweedFs, objects: ObjectsAdapter, data: bytes
) -> None:
    put(s3, "runs/torn.json", data)
    with pytest.raises(Transient, match=r"not (a )?JSON"):
        await objects.read_json("minio", "feedback", "runs/torn.json")


async def test_a_bucket_that_is_absent_is_unavailable_storage(objects: ObjectsAdapter) -> None:
    with pytest.raises(Transient, match="NoSuchBucket") as raised:
        await objects.read_json("minio", "nowhere", "x.json")
    assert raised.value.reason is Reason.STORAGE_UNAVAILABLE


async def test_a_wrong_key_is_unavailable_storage_until_the_file_is_renewed(
    s3: SeaweedFs, objects: ObjectsAdapter, tmp_path: Path
) -> None:
    put(s3, "runs/b.json", b"{}")
    secret = tmp_path / "minio" / "AWS_SECRET_ACCESS_KEY"
    secret.write_text("wrong")
    with pytest.raises(Transient) as raised:
        await objects.read_json("minio", "feedback", "runs/b.json")
    assert raised.value.reason is Reason.STORAGE_UNAVAILABLE
    secret.write_text(f"{s3.secret_key}\n")
    assert await objects.read_json("minio", "feedback", "runs/b.json") is not None


async def test_without_credentials_it_says_where_they_belong(s3: SeaweedFs, tmp_path: Path) -> None:
    adapter = ObjectsAdapter(admin_config(s3.url, tmp_path))
    with pytest.raises(Transient, match="AWS_ACCESS_KEY_ID"):
        await adapter.read_json("minio", "feedback", "x.json")
    adapter.close()


async def test_a_storage_that_is_away_is_unavailable(tmp_path: Path, s3: SeaweedFs) -> None:
    s3.write_secret(tmp_path / "minio")
    adapter = ObjectsAdapter(admin_config("http://127.0.0.1:1", tmp_path))
    with pytest.raises(Transient) as raised:
        await adapter.read_json("minio", "feedback", "x.json")
    assert raised.value.reason is Reason.STORAGE_UNAVAILABLE
    adapter.close()


async def test_an_endpoint_that_the_admin_did_not_name_is_refused(objects: ObjectsAdapter) -> None:
    with pytest.raises(UserError) as raised:
        await objects.read_json("elsewhere", "feedback", "x.json")
    assert raised.value.reason is Reason.UNKNOWN_ENDPOINT


@pytest.mark.parametrize(("status", "known"), [(None, False), ("Enabled", True), ("Suspended", True)])
async def test_whether_a_bucket_keeps_versions_is_found_in_the_background(
    s3: SeaweedFs, objects: ObjectsAdapter, status: str | None, known: bool
) -> None:
    bucket = f"keys-{str(status).lower()}"
    s3.make_bucket(bucket)
    if status is not None:
        s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert objects.keeps_versions("minio", bucket) is None
    async with asyncio.timeout(20):
        while objects.keeps_versions("minio", bucket) is None:  # noqa: ASYNC110 - answered by a thread
            await asyncio.sleep(0.02)
    assert objects.keeps_versions("minio", bucket) is known


def test_of_a_bucket_that_cannot_be_asked_nothing_is_known(objects: ObjectsAdapter) -> None:
    assert objects.keeps_versions("minio", "nowhere") is None
    assert objects.keeps_versions("elsewhere", "feedback") is None
