"""The models' bucket outside a job: with the credentials of the surroundings (environment, profile)."""

from __future__ import annotations

import boto3
from botocore.config import Config

from feedbackloop.jobs.storage import Store


def connect(url: str, bucket: str, region: str = "us-east-1") -> Store:
    """The bucket's root; path style and few checksums, as compatible stores understand them."""
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = boto3.session.Session().client("s3", endpoint_url=url, region_name=region, config=config)
    return Store(client, bucket)
