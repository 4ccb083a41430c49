"""What the process is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from feedbackloop.api.gateway import ADMIN_PORT, APP_PORT, FEEDBACK_PORT

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True)
class Settings:
    """Paths, ports and limits. The defaults are those of the pod; tests set others."""

    pod: str
    namespace: str = ""
    config_name: str = ""
    config_file: Path | None = None
    """Instead of the ConfigMap: a file, watched by its modification time."""
    volume: Path = Path("/var/lib/feedbackloop")
    secrets: Path = Path("/etc/feedbackloop/secrets")
    service_account: Path = Path(SERVICE_ACCOUNT)
    api_server: str = ""
    """`https://host:port` of the API server."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod serves its own network; a NetworkPolicy bounds it
    app_port: int = APP_PORT
    feedback_port: int = FEEDBACK_PORT
    admin_port: int = ADMIN_PORT
    metrics_port: int = 0
    """Serves `GET /metrics` and nothing else, for those who must not reach the admin port; 0: not served."""
    volume_bytes: int = 0
    """Most bytes that the log may hold on the volume; 0: four fifths of the volume."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Raises ValueError for a missing or malformed variable."""
        if not env.get("FL_POD_NAME"):
            raise ValueError("FL_POD_NAME is not set")
        config_file = env.get("FL_CONFIG_FILE")
        if not config_file and not (env.get("FL_CONFIG_NAMESPACE") and env.get("FL_CONFIG_NAME")):
            raise ValueError("set FL_CONFIG_NAMESPACE and FL_CONFIG_NAME, or FL_CONFIG_FILE")
        return cls(
            pod=env["FL_POD_NAME"],
            namespace=env.get("FL_CONFIG_NAMESPACE", ""),
            config_name=env.get("FL_CONFIG_NAME", ""),
            config_file=Path(config_file) if config_file else None,
            volume=Path(env.get("FL_VOLUME", str(cls.volume))),
            secrets=Path(env.get("FL_SECRETS", str(cls.secrets))),
            service_account=Path(env.get("FL_SERVICE_ACCOUNT", SERVICE_ACCOUNT)),
            api_server=_api_server(env),
            host=env.get("FL_HOST", cls.host),
            app_port=int(env.get("FL_APP_PORT", APP_PORT)),
            feedback_port=int(env.get("FL_FEEDBACK_PORT", FEEDBACK_PORT)),
            admin_port=int(env.get("FL_ADMIN_PORT", ADMIN_PORT)),
            metrics_port=int(env.get("FL_METRICS_PORT", "0")),
            volume_bytes=int(env.get("FL_VOLUME_BYTES", "0")),
        )


def _api_server(env: Mapping[str, str]) -> str:
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{'[' + host + ']' if ':' in host else host}:{port}" if host else ""
