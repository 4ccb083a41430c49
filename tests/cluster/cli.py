"""The command line: `python3 -m tests.cluster COMMAND`. Standard output is for scripts, standard error for people."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from tests.cluster import commands
from tests.cluster.api import DEFAULT_NAME
from tests.cluster.description import Profile
from tests.cluster.errors import ClusterError
from tests.cluster.shell import say

Group: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str]) -> int:
    """Run one command; errors that are for a person come without a traceback."""
    options = parser().parse_args(argv)
    try:
        status: int = options.run(options)
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    return status


def parser() -> argparse.ArgumentParser:
    """All the commands."""
    top = argparse.ArgumentParser(prog="python3 -m tests.cluster", description="A real Kubernetes on this machine.")
    name = argparse.ArgumentParser(add_help=False)
    name.add_argument("--name", default=DEFAULT_NAME, help="the cluster's name (default: %(default)s)")
    group = top.add_subparsers(required=True, metavar="COMMAND")
    _cluster_commands(group, name)
    _image_commands(group, name)
    _volume_commands(group, name)
    return top


def _cluster_commands(group: Group, name: argparse.ArgumentParser) -> None:
    add = group.add_parser
    command = add("build", help="build the binaries, unless that was done")
    command.set_defaults(run=commands.build_binaries)

    command = add("up", parents=[name], help="start the cluster, or what is missing of it")
    command.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.NODE)
    command.set_defaults(run=commands.up)

    command = add("down", parents=[name], help="take the cluster down; nothing of it is left")
    command.set_defaults(run=commands.down)

    command = add("status", parents=[name], help="what runs, and where")
    command.set_defaults(run=commands.status)

    command = add("kubeconfig", parents=[name], help="print the path of the kubeconfig")
    command.set_defaults(run=commands.kubeconfig)

    command = add("env", parents=[name], help="print shell commands that set KUBECONFIG and PATH (kubectl, helm)")
    command.set_defaults(run=commands.env)

    command = add("kubectl", parents=[name], help="run kubectl on the cluster; put its own options after --")
    command.add_argument("words", nargs="*")
    command.set_defaults(run=commands.kubectl)


def _image_commands(group: Group, name: argparse.ArgumentParser) -> None:
    command = group.add_parser("load-image", parents=[name], help="put an image's archive into the cluster")
    command.add_argument("archive", type=Path)
    command.set_defaults(run=commands.load_image)

    command = group.add_parser("build-image", parents=[name], help="build an image and put it into the cluster")
    command.add_argument("--tag", required=True, help="the reference, such as localhost/feedbackloop:dev")
    command.add_argument("--context", type=Path, required=True)
    command.add_argument("--file", type=Path, help="the Dockerfile (default: the one in the context)")
    command.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--volume", action="append", default=[], metavar="HOST:CONTAINER[:OPTIONS]")
    command.add_argument("--no-load", action="store_true", help="only build, without a cluster")
    command.set_defaults(run=commands.build_image)


def _volume_commands(group: Group, name: argparse.ArgumentParser) -> None:
    command = group.add_parser("ensure-volumes", parents=[name], help="top up the pool of volumes that claims can have")
    command.add_argument("--count", type=int, default=8)
    command.add_argument("--size", default="4Gi")
    command.set_defaults(run=commands.ensure_volumes)

    command = group.add_parser("publish-dir", parents=[name], help="make a directory of the host a read-only claim")
    command.add_argument("claim")
    command.add_argument("path", type=Path)
    command.add_argument("--namespace", required=True)
    command.set_defaults(run=commands.publish_dir)
