"""What a component is: a command, the environment it runs in, and how to tell that it works."""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def always() -> bool:
    """For a component whose work shows in another's readiness."""
    return True


@dataclass(frozen=True)
class Component:
    """One daemon of the cluster. `argv[0]` is the path of its binary."""

    name: str
    argv: tuple[str, ...]
    is_ready: Callable[[], bool] = always


def http_ready(address: str, port: int, path: str = "/healthz", *, tls: bool = True) -> Callable[[], bool]:
    """Ready when the address answers 200 there."""

    def probe() -> bool:
        try:
            return _status(address, port, path, tls) == 200
        except (OSError, http.client.HTTPException):
            return False

    return probe


def _status(address: str, port: int, path: str, tls: bool) -> int:
    # Liveness only, so the certificate is not checked: some components make their own at each start.
    connection: http.client.HTTPConnection
    if tls:
        connection = http.client.HTTPSConnection(address, port, timeout=2, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def flags(**values: str | int | bool | Path) -> tuple[str, ...]:
    """`--a-b=c` for each `a_b=c`."""
    return tuple(f"--{name.replace('_', '-')}={_spelled(value)}" for name, value in values.items())


def _spelled(value: str | int | bool | Path) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
