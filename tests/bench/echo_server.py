"""The echo baseline: uvicorn, uvloop, httptools, set up like the gateway's ports; reads the body, answers 202."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
import uvloop

from feedbackloop.gateway.servers import config


async def echo(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


if __name__ == "__main__":
    uvloop.run(uvicorn.Server(config(echo, host="127.0.0.1", port=int(sys.argv[1]))).serve())
