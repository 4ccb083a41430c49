"""`feedbackloop keys list|rotate|rewrap`: the wrapped keys of a loop.

It needs what a gateway pod has: the loop's configuration and its mounted Secrets. In such a pod the defaults fit.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from feedbackloop.api.gateway import GatewayConfig, KeyService, RootKeyType
from feedbackloop.events.errors import EventsError
from feedbackloop.events.keyring import rotation
from feedbackloop.events.keyring.blob import Family
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import open_keyring
from feedbackloop.events.keyring.root import Root, open_root

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

VOLUME, SECRETS = "/var/lib/feedbackloop", "/etc/feedbackloop/secrets"

Verb = Callable[[argparse.Namespace, Keyring], int]


def register(commands: Commands) -> None:
    group = commands.add_parser("keys", help="a loop's wrapped keys")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    _verb(verbs, "list", _list, "what there is, and under which root key")
    rotate = _verb(verbs, "rotate", _rotate, "make a new version now")
    rotate.add_argument("family", choices=[str(family) for family in Family])
    rewrap = _verb(verbs, "rewrap", _rewrap, "bring the loop's keys under the configured root key")
    rewrap.add_argument("--old-kek", metavar="DIR", help="the mounted Secret of the root key of before")
    rewrap.add_argument("--old-service", metavar="JSON", default="{}",
                        help="that root key, as `encryption` of the configuration names it")  # fmt: skip


def _verb(verbs: Any, name: str, run: Verb, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    volume, secrets = os.environ.get("FL_VOLUME", VOLUME), os.environ.get("FL_SECRETS", SECRETS)
    parser.add_argument("--config", metavar="FILE", default=f"{volume}/config.json", help="the gateway's config.json")
    parser.add_argument("--secrets", metavar="DIR", default=secrets, help="with the folders kek and storage")
    parser.set_defaults(run=lambda wanted: _opened(wanted, run))
    return parser


def _opened(wanted: argparse.Namespace, run: Verb) -> int:
    """0 when it was done, 2 when it could not be done."""
    try:
        return run(wanted, _keyring(wanted))
    except (EventsError, OSError, ValidationError, ValueError) as error:
        what = f"{wanted.config}: not a gateway's configuration" if isinstance(error, ValidationError) else error
        print(f"feedbackloop: {what}", file=sys.stderr)
        return 2


def _keyring(wanted: argparse.Namespace) -> Keyring:
    config = GatewayConfig.model_validate_json(Path(wanted.config).read_bytes())
    ring = open_keyring(lambda: (config.encryption, config.storage), Path(wanted.secrets), config.loop.uid)
    if (before := _before(wanted)) is not None:
        ring.roots.also(before)
    return ring.start()


def _before(wanted: argparse.Namespace) -> Root | None:
    if not getattr(wanted, "old_kek", None):
        return None
    service = KeyService.model_validate(json.loads(wanted.old_service))
    if service.type is not RootKeyType.SECRET and not service.key:
        raise ValueError("--old-service: name type, url and key of the root key of before")
    return open_root(service, Path(wanted.old_kek))


def _list(_wanted: argparse.Namespace, ring: Keyring) -> int:
    for family in Family:
        for name in ring.storage.names(family):
            blob = ring.storage.read(name)
            made = datetime.datetime.fromtimestamp(blob.created, datetime.UTC).isoformat(timespec="seconds")
            print(f"{name.ident:12} {made}  {blob.root}")
    tables = sum(1 for _ in ring.subjects.shards.names())
    print(f"{tables} tables of subject keys; the root key is {ring.roots.current.ident}")
    return 0


def _rotate(wanted: argparse.Namespace, ring: Keyring) -> int:
    print(f"{ring.add(Family(wanted.family))} is in use from now on; gateways take it up within a minute")
    return 0


def _rewrap(_wanted: argparse.Namespace, ring: Keyring) -> int:
    print(f"{rotation.rewrap(ring)} keys were brought under {ring.roots.current.ident}")
    return 0
