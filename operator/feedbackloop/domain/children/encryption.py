"""The root key as gateway and jobs are told of it: which service, and which files of its Secret they mount."""

from __future__ import annotations

from feedbackloop.api.adminconfig import AdminConfig, Endpoint, EndpointType
from feedbackloop.api.feedbackloop import Encryption, EncryptionKey
from feedbackloop.api.gateway import KeyService, RootKeyType
from feedbackloop.domain.children.common import Json

PREVIOUS = "previous"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def named_endpoint(key: EncryptionKey) -> tuple[str, str, EndpointType] | None:
    """Field, name and type of the endpoint of the admin's list that the key needs; None for a Secret."""
    if key.aws_kms is not None:
        return "spec.encryption.key.awsKms.endpointName", key.aws_kms.endpoint_name, EndpointType.AWS_KMS
    if key.vault_transit is not None:
        return "spec.encryption.key.vaultTransit.endpointName", key.vault_transit.endpoint_name, EndpointType.VAULT
    return None


def secret_files(key: EncryptionKey) -> tuple[str, ...]:
    """The keys of the mounted Secret."""
    if key.aws_kms is not None:
        return CREDENTIALS
    return ("token",) if key.vault_transit is not None else ("key",)


def volume_source(key: EncryptionKey) -> Json:
    """The Secret's files, and `previous` when it has one: the root key before this one, while it is exchanged."""
    name = key.mounted_secret_name
    now = {"name": name, "items": [{"key": file, "path": file} for file in secret_files(key)]}
    before = {"name": name, "items": [{"key": PREVIOUS, "path": PREVIOUS}], "optional": True}
    # 0440: the files belong to root, and the process reads them through the pod's fsGroup.
    return {"projected": {"defaultMode": 0o440, "sources": [{"secret": now}, {"secret": before}]}}


def key_service(encryption: Encryption, admin: AdminConfig) -> KeyService | None:
    """Where the root key is; None when the admin declares no such endpoint."""
    named = named_endpoint(encryption.key)
    if named is None:
        return _service(encryption, RootKeyType.SECRET)
    endpoint = admin.endpoint(named[1], named[2])
    return None if endpoint is None else _remote(encryption, endpoint)


def _remote(encryption: Encryption, endpoint: Endpoint) -> KeyService:
    told = {"url": endpoint.url, "region": endpoint.region}
    key = encryption.key
    if key.aws_kms is not None:
        return _service(encryption, RootKeyType.AWS_KMS, key=key.aws_kms.key_id, **told)
    assert key.vault_transit is not None
    vault = key.vault_transit
    return _service(encryption, RootKeyType.VAULT_TRANSIT, key=vault.key_name, mount=vault.mount, **told)


def _service(encryption: Encryption, type_: RootKeyType, **fields: str) -> KeyService:
    return KeyService(
        type=type_,
        rotation_period_seconds=encryption.rotation_period_seconds,
        keys_bucket=encryption.keys_bucket or "",
        **fields,
    )
