"""`python -m feedbackloop.gateway`: the gateway's process, told by its environment what to do."""

from __future__ import annotations

import logging
import resource
import sys

import uvloop

from feedbackloop.events.errors import EventsError
from feedbackloop.gateway import memory
from feedbackloop.gateway.runtime import Runtime
from feedbackloop.gateway.settings import Settings
from feedbackloop.gateway.volume import VolumeInUse

SWITCH_SECONDS = 0.0005
"""A thread that packs a segment holds the interpreter for this long at most while the event loop waits for it.

The default of 5 ms is what one in a hundred answers then took: segments are packed for a few percent of the time."""


async def _main(settings: Settings) -> None:
    await Runtime(settings).run()


def main() -> int:
    """0 after a clean end; 1 when it cannot start, with the reason on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("botocore", "boto3", "aiohttp", "urllib3", "uvicorn", "asyncio"):
        # Their tracebacks and debug lines can quote requests.
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    memory.start()
    sys.setswitchinterval(SWITCH_SECONDS)
    # No core dump: keys and texts are in memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        uvloop.run(_main(Settings.from_env()))
    except (ValueError, OSError, EventsError, VolumeInUse) as error:
        logging.getLogger("feedbackloop.gateway").error("cannot run: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
