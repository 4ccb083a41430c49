"""Opening a loop's keyring from what a pod is told and has mounted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from feedbackloop.api.gateway import KeyService, ObjectStore
from feedbackloop.events.errors import StorageUnavailable
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.root import PREVIOUS, open_previous, open_root
from feedbackloop.events.keyring.roots import Roots
from feedbackloop.events.keyring.storage import KeyStorage
from feedbackloop.events.objects import AtomicClient, S3Client, read_credentials

Where = Callable[[], tuple[KeyService, ObjectStore]]


class Connection:
    """A client of the bucket of keys, made anew when the bucket or the mounted credential is another."""

    def __init__(self, where: Where, credentials: Path) -> None:
        self._where, self._credentials = where, credentials
        self._client: tuple[object, AtomicClient] | None = None

    def __call__(self) -> AtomicClient:
        """Raises StorageUnavailable while there is no credential."""
        service, storage = self._where()
        bucket = storage.model_copy(update={"bucket": service.keys_bucket or storage.bucket})
        try:
            identity = (bucket, read_credentials(self._credentials))
        except OSError:
            raise StorageUnavailable("NoCredentials") from None
        if self._client is None or self._client[0] != identity:
            self._client = (identity, S3Client(*identity))
        return self._client[1]


class RootFiles:
    """The configured roots, opened anew when the mounted files are others: a root key can be exchanged while we run."""

    def __init__(self, where: Where, directory: Path, loop_uid: str) -> None:
        self._where, self._directory, self._uid = where, directory, loop_uid
        self._opened: tuple[object, Roots] | None = None

    def __call__(self) -> Roots:
        """Raises KeyRefused, KeyServiceUnavailable."""
        service = self._where()[0]
        identity = (service, *(_content(self._directory / name) for name in ("key", PREVIOUS)))
        if self._opened is None or self._opened[0] != identity:
            previous = open_previous(service, self._directory)
            roots = Roots(open_root(service, self._directory), self._uid, (previous,) if previous else ())
            self._opened = (identity, roots)
        return self._opened[1]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def open_keyring(where: Where, secrets: Path, loop_uid: str, cache: Path | None = None) -> Keyring:
    """A loop's keyring, which still has to be started. `secrets` holds the mounted Secrets `kek` and `storage`.

    Raises KeyRefused for a root key of a wrong length, KeyServiceUnavailable when its file is absent.
    """
    roots, connection = RootFiles(where, secrets / "kek", loop_uid), Connection(where, secrets / "storage")
    return Keyring(roots(), KeyStorage(connection, where()[1].prefix, cache), loop_uid, renew=roots)


def keyring_of(service: KeyService, storage: ObjectStore, secrets: Path, loop_uid: str) -> Keyring:
    """A started keyring for a job or a tool. Raises besides as `Keyring.start`."""
    return open_keyring(lambda: (service, storage), secrets, loop_uid).start()
