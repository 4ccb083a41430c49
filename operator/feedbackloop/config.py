"""What the process is told: its environment, and the admin's file. No other module reads `os.environ`."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from feedbackloop.api.adminconfig import AdminConfig

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class ConfigError(Exception):
    """The process cannot start as it was configured: exit code 2, and the message names the field."""


@dataclass(frozen=True)
class ProcessConfig:
    """The environment variables of the operator's pod."""

    namespace: str
    """FL_NAMESPACE: the one namespace that is watched; the pod's own when unset."""
    pod_name: str
    """FL_POD_NAME: who we are in Events and in the Lease; the host name when unset."""
    pod_namespace: str
    """FL_POD_NAMESPACE: where the Lease lives; the watched namespace when unset."""
    config_path: str = "/etc/feedbackloop/config.yaml"
    """FL_CONFIG: the admin's file."""
    kubeconfig: str | None = None
    """KUBECONFIG: how to reach the API server from outside a cluster."""
    host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside the pod
    """FL_HOST: the address that /livez, /readyz and /metrics are served on."""
    port: int = 8080
    """FL_PORT: their port."""
    lease_name: str = "feedbackloop-operator"
    """FL_LEASE: the Lease of leader election."""
    log_level: str = "INFO"
    """FL_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""


def from_environment(env: Mapping[str, str]) -> ProcessConfig:
    """Parse the environment; `ConfigError` names the variable."""
    namespace = env.get("FL_NAMESPACE") or _own_namespace()
    if not namespace:
        raise ConfigError("FL_NAMESPACE is not set: it names the namespace to watch")
    default = ProcessConfig(namespace, socket.gethostname(), namespace)
    return ProcessConfig(
        namespace=namespace,
        pod_name=env.get("FL_POD_NAME") or default.pod_name,
        pod_namespace=env.get("FL_POD_NAMESPACE") or default.pod_namespace,
        config_path=env.get("FL_CONFIG") or default.config_path,
        kubeconfig=env.get("KUBECONFIG") or None,
        host=env.get("FL_HOST") or default.host,
        port=_port(env.get("FL_PORT") or str(default.port)),
        lease_name=env.get("FL_LEASE") or default.lease_name,
        log_level=_level(env.get("FL_LOG_LEVEL") or default.log_level),
    )


def load_admin_config(path: str | Path) -> AdminConfig:
    """Read and validate the admin's file; `ConfigError` names every wrong field."""
    try:
        raw = yaml.safe_load(Path(path).read_text())
    except OSError as cause:
        raise ConfigError(f"{path}: {cause.strerror or cause}") from cause
    except yaml.YAMLError as cause:
        raise ConfigError(f"{path}: not YAML: {cause}") from cause
    try:
        return AdminConfig.model_validate(raw or {})
    except ValidationError as cause:
        raise ConfigError(f"{path}: {_fields(cause)}") from cause


def _fields(cause: ValidationError) -> str:
    """`endpoints.0.url: String should match …; …`, without the values: the file may hold what is not for a log."""
    errors = cause.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in errors)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise ConfigError(f"FL_PORT is not a port: {text!r}")
    return int(text)


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ConfigError(f"FL_LOG_LEVEL is not DEBUG, INFO, WARNING or ERROR: {text!r}")
    return text.upper()


def _own_namespace() -> str | None:
    return NAMESPACE_FILE.read_text().strip() if NAMESPACE_FILE.is_file() else None
