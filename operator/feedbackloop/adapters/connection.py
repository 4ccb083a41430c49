"""Where the API server is and who we are: one source for our client and for Kopf's.

In a pod the ServiceAccount's token is read again every minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

USER_AGENT = "feedbackloop-operator"


@dataclass(frozen=True)
class Login:
    """What another client needs to log in like ours."""

    server: str
    ca_path: str | None
    insecure: bool
    scheme: str | None
    token: str | None
    certificate_path: str | None
    private_key_path: str | None


class Connection:
    """The one `ApiClient` of the process."""

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration
        self.client = ApiClient(configuration)
        self.client.user_agent = USER_AGENT

    async def login(self) -> Login:
        """The credentials as they are now."""
        header = await self.configuration.get_api_key_with_prefix("BearerToken")
        scheme, _, token = (header or "").partition(" ")
        return Login(
            server=self.configuration.host,
            ca_path=self.configuration.ssl_ca_cert,
            insecure=not self.configuration.verify_ssl,
            scheme=scheme or None,
            token=token.strip() or None,
            certificate_path=self.configuration.cert_file,
            private_key_path=self.configuration.key_file,
        )

    async def close(self) -> None:
        await self.client.close()


class NotConfiguredError(Exception):
    """Neither a usable kubeconfig nor a ServiceAccount."""


async def connect(kubeconfig: str | None = None) -> Connection:
    """Connect as a kubeconfig says, or, without one, as the pod's ServiceAccount."""
    configuration = Configuration()
    try:
        if kubeconfig is not None:
            await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)
        else:
            config.load_incluster_config(client_configuration=configuration)
    except (config.ConfigException, OSError) as cause:
        where = f"KUBECONFIG {kubeconfig}" if kubeconfig else "the pod's ServiceAccount (KUBECONFIG is not set)"
        raise NotConfiguredError(f"{where}: {cause}") from cause
    return Connection(configuration)
