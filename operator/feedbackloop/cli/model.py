"""`feedbackloop model push DIR`: a model directory into the models' bucket."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feedbackloop.jobs import artefact
from feedbackloop.jobs.errors import JobError
from feedbackloop.jobs.modelstore import connect

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands


def register(commands: Commands) -> None:
    model = commands.add_parser("model", help="model artefacts")
    verbs = model.add_subparsers(metavar="VERB", required=True)
    push = verbs.add_parser(
        "push",
        help="upload a model directory and print its URI and digest",
        description="Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a profile.",
    )
    push.add_argument("directory", type=Path, help="a model directory: config.json, safetensors, tokenizer")
    push.add_argument("--endpoint-url", required=True, help="the S3 endpoint")
    push.add_argument("--bucket", required=True, help="the models' bucket")
    push.add_argument("--name", required=True, help="the registered model that it is a version of")
    push.add_argument("--region", default="us-east-1")
    push.add_argument("--output", choices=("text", "json"), default="text")
    push.set_defaults(run=_push)


def _push(wanted: argparse.Namespace) -> int:
    try:
        store = connect(wanted.endpoint_url, wanted.bucket, wanted.region)
        model = artefact.push(store, wanted.name, wanted.directory)
    except (JobError, artefact.ArtefactError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 1
    body = model.to_wire()
    print(json.dumps(body) if wanted.output == "json" else "\n".join(f"{k}: {v}" for k, v in body.items()))
    return 0
