"""What each command of the command line does; the number returned is its exit status."""

import os
from argparse import Namespace
from pathlib import Path

from tests.cluster import api, build, cluster, description, image_build, images, supervisor, volumes
from tests.cluster.errors import ClusterError
from tests.cluster.shell import say


def build_binaries(_: Namespace) -> int:
    """`build`"""
    built = build.ensure()
    say(f"binaries: {built.folder}")
    print(f"build_seconds={built.build_seconds}")
    return 0


def up(options: Namespace) -> int:
    """`up`"""
    if api.uses_current():
        return _check_current()
    result = cluster.up(options.name, options.profile)
    if result.started:
        say(f"  started {', '.join(result.started)}")
        say(f"cluster {options.name} ({options.profile}) is up after {result.seconds:.1f} s")
    else:
        say(f"cluster {options.name} is already up: nothing to do")
    print(result.cluster.paths.kubeconfig)
    return 0


def _check_current() -> int:
    kubectl_ = api.kubectl()
    context = kubectl_("config", "current-context").strip()
    kubectl_("get", "--raw=/readyz")
    say(f"CLUSTER=current: using the context {context} of {kubectl_.kubeconfig}; nothing is started")
    print(kubectl_.kubeconfig)
    return 0


def down(options: Namespace) -> int:
    """`down`"""
    if api.uses_current():
        say("CLUSTER=current: your own cluster stays up")
    elif cluster.down(options.name):
        say(f"cluster {options.name} is gone")
    else:
        say(f"no cluster {options.name}: nothing to do")
    return 0


def status(options: Namespace) -> int:
    """`status`: 0 when everything runs, 3 when something does not."""
    if api.uses_current():
        return _check_current()
    found = description.load(options.name)
    known, alive = supervisor.identities(found), supervisor.running(found)
    print(f"cluster {found.name}, profile {found.profile}, server {found.server}")
    print(f"kubeconfig {found.paths.kubeconfig}\nlogs {found.paths.logs}")
    for name, identity in known.items():
        print(f"  {name:24} {f'pid {identity.pid}' if name in alive else 'NOT RUNNING'}")
    return 0 if known and len(known) == len(alive) else 3


def kubeconfig(options: Namespace) -> int:
    """`kubeconfig`"""
    print(api.kubeconfig(options.name))
    return 0


def env(options: Namespace) -> int:
    """`env`: for `eval`."""
    print(f"export KUBECONFIG={api.kubeconfig(options.name)}")
    print(f"export PATH={api.binary('kubectl').parent}:$PATH")
    return 0


def kubectl(options: Namespace) -> int:
    """`kubectl`: becomes it."""
    argv = api.kubectl(options.name).argv(*options.words)
    os.execv(argv[0], argv)


def load_image(options: Namespace) -> int:
    """`load-image`"""
    images.load(_node(options.name), options.archive)
    return 0


def build_image(options: Namespace) -> int:
    """`build-image`"""
    recipe = _recipe(options)
    archive = image_build.build(recipe)
    if not options.no_load and not images.load(_node(options.name), archive, recipe.reference, recipe.content):
        say(f"{recipe.reference} is unchanged, and in the cluster")
    print(archive)
    return 0


def _recipe(options: Namespace) -> image_build.Recipe:
    dockerfile: Path = options.file or options.context / "Dockerfile"
    arguments = dict(argument.split("=", 1) for argument in options.build_arg)
    return image_build.Recipe(options.tag, dockerfile, options.context, arguments, tuple(options.volume))


def ensure_volumes(options: Namespace) -> int:
    """`ensure-volumes`"""
    made = volumes.ensure(_node(options.name), api.kubectl(options.name), options.count, options.size)
    say(f"{len(made)} volumes made; at least {options.count} are free")
    return 0


def publish_dir(options: Namespace) -> int:
    """`publish-dir`"""
    volumes.publish(_node(options.name), api.kubectl(options.name), options.claim, options.path, options.namespace)
    say(f"{options.path} is the claim {options.claim}: mount it at the same path, readOnly: true")
    return 0


def _node(name: str) -> description.Description:
    if api.uses_current():
        raise ClusterError("CLUSTER=current: push your images, and have a default StorageClass")
    found = description.load(name)
    if not found.has_node:
        raise ClusterError(f"cluster {name} has no node: start one with --profile node")
    return found
