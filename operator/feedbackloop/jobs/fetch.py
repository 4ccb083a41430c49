"""The init container of a serving pod: `python -m feedbackloop.jobs.fetch`.

It brings the model `MODEL_URI` into the pod and ends only when every byte matches `MODEL_DIGEST`; so a
pod that is Ready serves that model. While storage is away it waits and says so.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.jobs import ExitCode
from feedbackloop.jobs import artefact
from feedbackloop.jobs.errors import InvalidSpec, StorageUnavailable
from feedbackloop.jobs.modelstore import connect
from feedbackloop.jobs.patience import patiently
from feedbackloop.jobs.storage import Store

log = logging.getLogger("feedbackloop.jobs.fetch")
INTO = "/feedbackloop-model"
PATIENCE_SECONDS = 600.0
"""After this the kubelet starts us anew, with the credentials as they are then."""


def wanted(environment: Mapping[str, str]) -> tuple[Model, Store]:
    """What to fetch, and from where."""
    names = ("MODEL_URI", "MODEL_DIGEST", "MODEL_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise InvalidSpec(f"{', '.join(missing)}: not set")
    try:
        model = Model(uri=environment["MODEL_URI"], digest=environment["MODEL_DIGEST"])
    except ValidationError:
        raise InvalidSpec("MODEL_URI must be s3://bucket/path/, MODEL_DIGEST sha256: and 64 hex digits") from None
    region = environment.get("MODEL_REGION") or "us-east-1"
    return model, connect(environment["MODEL_ENDPOINT_URL"], bucket_of(model), region)


def bucket_of(model: Model) -> str:
    return model.uri.removeprefix("s3://").partition("/")[0]


def main(environment: Mapping[str, str] = os.environ) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        model, store = wanted(environment)
        into = Path(environment.get("MODEL_DIRECTORY", INTO))
        patience = float(environment.get("MODEL_PATIENCE_SECONDS", PATIENCE_SECONDS))
        patiently(lambda: artefact.fetch(store, model, into), threading.Event(), seconds=patience)
    except InvalidSpec as error:
        log.error("%s", error)
        return int(ExitCode.INVALID_SPEC)
    except artefact.ArtefactError as error:
        log.error("%s", error)
        return int(ExitCode.BASE_MODEL_UNAVAILABLE)
    except StorageUnavailable as error:
        log.error("%s", error)
        return int(ExitCode.STORAGE_UNAVAILABLE)
    log.info("verified %s", model.digest)
    return int(ExitCode.OK)


if __name__ == "__main__":
    raise SystemExit(main())
