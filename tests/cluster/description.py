"""What a cluster is, as it is remembered between commands."""

from dataclasses import dataclass
from enum import StrEnum

from tests.cluster.errors import NotRunningError
from tests.cluster.paths import ClusterPaths
from tests.cluster.shell import read_json, write_json
from tests.cluster.slots import Network


class Profile(StrEnum):
    """`light` is an API server with its controllers; `node` adds a node that runs pods."""

    LIGHT = "light"
    NODE = "node"


@dataclass(frozen=True)
class Description:
    """Name, profile and network; everything else follows."""

    name: str
    profile: Profile
    network: Network

    @property
    def paths(self) -> ClusterPaths:
        """The cluster's files."""
        return ClusterPaths.of(self.name)

    @property
    def has_node(self) -> bool:
        """Whether pods run."""
        return self.profile is Profile.NODE

    @property
    def node(self) -> str:
        """The node's name."""
        return f"{self.name}-node"

    @property
    def address(self) -> str:
        """Where its servers listen: a light cluster on loopback, one with a node where its pods reach it too."""
        return self.network.node_address if self.has_node else "127.0.0.1"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.address}:{self.network.port('apiserver')}"

    def save(self) -> None:
        """Remember it."""
        content = {"name": self.name, "profile": self.profile.value, "slot": self.network.slot}
        write_json(self.paths.description, content)


def find(name: str) -> Description | None:
    """The cluster of this name, up or not, if it was ever brought up and not taken down."""
    content = read_json(ClusterPaths.of(name).description, None)
    return content and Description(name, Profile(content["profile"]), Network(content["slot"]))


def load(name: str) -> Description:
    """The cluster of this name."""
    found = find(name)
    if found is None:
        raise NotRunningError(f"no cluster {name!r}: start it with `python3 -m tests.cluster up --name {name}`")
    return found
