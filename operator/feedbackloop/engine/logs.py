"""Log lines as JSON, one object a line: what collectors parse, and what a traceback cannot break apart."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message; an exception is reduced to its type."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}"[:500]
        return json.dumps(line, ensure_ascii=False)


def configure(level: str) -> None:
    """Everything to standard error; libraries from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_expected)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("feedbackloop").setLevel(level)


def _expected(record: logging.LogRecord) -> bool:
    """Kopf warns that it cannot handle signals in its thread: so it shall."""
    return not str(record.msg).startswith("OS signals are ignored")
