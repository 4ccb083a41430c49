"""Pushes the base model and the golden set to S3, and fills their digests into the example."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from examples.demo.install import Installation
from examples.demo.settings import BUCKETS, ROOT, Scenario, Settings
from examples.demo.shell import Kubectl, run, until
from examples.demo.stored import secret


def service_ip(kubectl: Kubectl, name: str) -> str:
    service = kubectl.get("service", name)
    assert service is not None, name
    return str(service["spec"]["clusterIP"])


def s3_client(url: str, access: str, key: str) -> Any:
    config = Config(retries={"max_attempts": 5}, connect_timeout=5, read_timeout=20, s3={"addressing_style": "path"})
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access,
        aws_secret_access_key=key,
        config=config,
    )


@dataclass(frozen=True)
class Pushed:
    """What the example's two placeholders become."""

    model_uri: str
    model_digest: str
    golden_name: str
    golden_digest: str


def push(installation: Installation, settings: Settings) -> Pushed:
    kubectl = installation.kubectl
    url = f"http://{service_ip(kubectl, 's3')}:8333"
    admin = s3_client(url, "admin", admin_key(kubectl))
    make_buckets(admin)
    golden = write_golden(settings.out / "golden.jsonl")
    digest = f"sha256:{hashlib.sha256(golden).hexdigest()}"
    name = f"golden-{digest[7:19]}.jsonl"
    admin.put_object(Bucket="feedback", Key=f"demo/{name}", Body=golden)
    uri, model_digest = push_model(installation, url)
    return Pushed(uri, model_digest, name, digest)


def admin_key(kubectl: Kubectl) -> str:
    identities = json.loads(secret(kubectl, "seaweedfs-identities")["s3.json"])["identities"]
    return str(next(i["credentials"][0]["secretKey"] for i in identities if i["name"] == "admin"))


def make_buckets(client: Any) -> None:
    def there() -> bool:
        try:
            have = {b["Name"] for b in client.list_buckets()["Buckets"]}
            for bucket in BUCKETS:
                if bucket not in have:
                    client.create_bucket(Bucket=bucket)
        except Exception:  # the server's first seconds answer with all sorts of errors
            return False
        return True

    until(there, what="S3 to make its buckets", seconds=120)


def write_golden(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    run("python3", "-m", "examples.support_bot.golden", path)
    return path.read_bytes()


def push_model(installation: Installation, url: str) -> tuple[str, str]:
    """`feedbackloop model push`, as a team would do it."""
    keys = secret(installation.kubectl, "s3-models-write")
    env = {name: value.decode() for name, value in keys.items()}
    tool = (ROOT / ".venv/bin/python", "-m", "feedbackloop.cli.main", "model", "push", installation.base_model)
    where = ("--endpoint-url", url, "--bucket", "models", "--name", "support-bot", "--output", "json")
    pushed = json.loads(run(*tool, *where, env=env))
    return pushed["uri"], pushed["digest"]


def loop_manifest(settings: Settings, pushed: Pushed) -> str:
    """The example with its digests filled in, and the scenario's one change of the recipe."""
    loop = yaml.safe_load((ROOT / "examples" / f"{settings.loop}.yaml").read_text(encoding="utf-8"))
    spec = loop["spec"]
    spec["target"]["model"] = {"uri": pushed.model_uri, "digest": pushed.model_digest}
    for suite in spec.get("evaluation", {}).get("suites", []):
        if "objectName" in suite["source"]:
            suite["source"] = {"objectName": pushed.golden_name, "digest": pushed.golden_digest}
    if settings.scenario is Scenario.FORGETFUL:
        spec["improvements"][0]["curation"] = {"replayRatio": "0", "allowForgetting": True}
    return str(yaml.safe_dump(loop, sort_keys=False))
