"""The root key of a loop, as gateway and jobs are told of it."""

from __future__ import annotations

from typing import Any

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import Encryption
from feedbackloop.api.gateway import KeyService, RootKeyType
from feedbackloop.domain.children.encryption import key_service, secret_files, volume_source
from tests.support import loops

KMS = {"endpointName": "kms", "keyId": "alias/loop", "credentialsSecretName": "kms-user"}
VAULT = {"endpointName": "vault", "keyName": "loop", "mount": "team/transit", "credentialsSecretName": "vault-token"}
ENDPOINTS = [
    *loops.ADMIN["endpoints"],
    {"name": "kms", "type": "AwsKms", "url": "https://kms.eu-central-1.amazonaws.com", "region": "eu-central-1"},
    {"name": "vault", "type": "Vault", "url": "https://vault.platform.svc:8200"},
]


def admin() -> AdminConfig:
    return loops.admin(endpoints=ENDPOINTS)


def encryption(key: dict[str, Any], **more: Any) -> Encryption:
    return Encryption.model_validate({"key": key, **more})


def test_a_secret_needs_no_endpoint() -> None:
    told = encryption({"secretName": "loop-kek"}, rotationPeriodSeconds=3600, keysBucket="keys")
    assert key_service(told, loops.admin()) == KeyService(rotation_period_seconds=3600, keys_bucket="keys")
    assert secret_files(told.key) == ("key",)
    sources = volume_source(told.key)["projected"]["sources"]
    assert [bool(source["secret"].get("optional")) for source in sources] == [False, True]


def test_kms_is_told_with_its_region_and_key() -> None:
    found = key_service(encryption({"awsKms": KMS}), admin())
    assert found is not None
    assert (found.type, found.url, found.region, found.key) == (
        RootKeyType.AWS_KMS,
        "https://kms.eu-central-1.amazonaws.com",
        "eu-central-1",
        "alias/loop",
    )


def test_vault_is_told_with_its_mount_and_key() -> None:
    found = key_service(encryption({"vaultTransit": VAULT}), admin())
    assert found is not None
    assert (found.type, found.url, found.mount, found.key) == (
        RootKeyType.VAULT_TRANSIT,
        "https://vault.platform.svc:8200",
        "team/transit",
        "loop",
    )


def test_an_endpoint_of_another_type_is_none() -> None:
    assert key_service(encryption({"awsKms": {**KMS, "endpointName": "vault"}}), admin()) is None
    assert key_service(encryption({"vaultTransit": {**VAULT, "endpointName": "minio"}}), admin()) is None
