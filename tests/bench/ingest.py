"""`make bench-ingest`: durable feedback events per CPU-second, over what a bare echo server does on the same stack.

Both servers run as processes of their own; the load alternates between them (A B A B …) with the same
request bytes: single POSTs of one comment each (about 600 bytes), 32 connections. The gateway's events are
validated, redacted, encrypted and on disk when they are answered; object storage is away. CPU time is that
of all threads of the server's process. The echo server runs uvicorn's usual ASGI cycle; the gateway's feedback
port has a protocol class of its own under uvicorn. Every run is checked: what was answered 202 is what the log
holds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from tests.bench import load
from tests.gateway.process import ROOT, Gateway, free_port, make_config
from tests.gateway.waiting import wait_for

CONNECTIONS = 32
TEXT = (
    "The answer about the refund window is not right. It says fourteen days, but since the spring the shop gives "
    "thirty days for everything that was bought online, and the receipt is enough. Please look at the page about "
    "returns again, it has been changed twice, and colleagues of mine got the same old answer this week when they "
    "asked in other words. The rest was fine and quick, thank you very much."
)


def requests(tokens: list[str], count: int, port: int) -> list[bytes]:
    """So many feedback requests, every one with an event id of its own."""
    made = []
    for index in range(count):
        body = json.dumps({"event_id": str(uuid.uuid4()), "signal": "note", "value": TEXT}).encode()
        head = (
            f"POST /v1/feedback HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {tokens[index % len(tokens)]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def measure(pid: int, port: int, batch: list[bytes]) -> tuple[float, load.Result]:
    """Accepted requests per CPU-second of the process."""
    before = load.cpu_seconds(pid)
    result = load.run(port, batch, connections=CONNECTIONS)
    assert result.accepted == len(batch), f"not everything was accepted: {result.statuses}"
    return result.accepted / (load.cpu_seconds(pid) - before), result


def start_echo(port: int) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.echo_server", str(port)], env=env, cwd=ROOT)

    def answers() -> bool:
        try:
            return load.run(port, [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], connections=1).accepted == 1
        except OSError:
            return False

    wait_for(answers, "the echo server answers")
    return process


def compare(gateway: Gateway, echo: int, echo_port: int, *, pairs: int, count: int) -> list[float]:
    """The ratio of each pair, gateway over echo."""
    tokens = [gateway.token(session_id=f"s-{index}") for index in range(64)]
    ratios = []
    for number in range(pairs + 1):
        durable, result = measure(gateway.pid, gateway.feedback, requests(tokens, count, gateway.feedback))
        bare, _ = measure(echo, echo_port, requests(tokens, count, echo_port))
        stored = gateway.status()["appended"]["offset"]
        assert stored == len(tokens) + (number + 1) * count, f"the log holds {stored} records"
        p99 = statistics.quantiles(result.latencies, n=100)[98] * 1000
        warm_up = " (warm-up, not counted)" if number == 0 else ""
        print(
            f"pair {number}: {durable:.0f} durable, {bare:.0f} echo per CPU-second; p99 {p99:.1f} ms{warm_up}",
            file=sys.stderr,
        )
        ratios.append(durable / bare)
    return ratios[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--count", type=int, default=8000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("FL_BENCH_DIR")) as folder:
        config = make_config(s3_url=f"http://127.0.0.1:{free_port()}")
        config["collection"]["flushSeconds"] = 3600
        gateway = Gateway(Path(folder), config, ("none", "none")).start()
        port = free_port()
        echo = start_echo(port)
        try:
            ratios = compare(gateway, echo.pid, port, pairs=arguments.pairs, count=arguments.count)
        finally:
            echo.kill()
            gateway.kill()
    print(
        json.dumps(
            {
                "figure": "ingest.single_vs_echo",
                "value": round(statistics.median(ratios), 3),
                "unit": "ratio",
                "goal": ">=0.45",
                "samples": [round(ratio, 3) for ratio in ratios],
                "load": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
