"""How the process is configured, and how it says that it is configured wrongly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from feedbackloop.config import ConfigError, from_environment, load_admin_config

GOOD = """
endpoints: [{name: minio, type: S3, url: "http://s3:8333"}]
profiles: []
jobs: {name: jobs, image: x}
gateway: {image: x}
"""


def test_the_environment_of_the_pod_is_enough() -> None:
    found = from_environment({"FL_NAMESPACE": "ml", "FL_POD_NAME": "op-0", "FL_POD_NAMESPACE": "system"})
    assert (found.namespace, found.pod_name, found.pod_namespace) == ("ml", "op-0", "system")
    assert (found.config_path, found.port) == ("/etc/feedbackloop/config.yaml", 8080)


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({}, "FL_NAMESPACE"),
        ({"FL_NAMESPACE": "ml", "FL_PORT": "http"}, "FL_PORT"),
        ({"FL_NAMESPACE": "ml", "FL_LOG_LEVEL": "loud"}, "FL_LOG_LEVEL"),
    ],
)
def test_a_wrong_variable_is_named(env: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        from_environment(env)


def test_the_admins_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    assert load_admin_config(path).endpoints[0].name == "minio"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(GOOD.replace("http://s3:8333", "s3:8333"), r"endpoints\.0\.url", id="a URL without scheme"),
        pytest.param(GOOD.replace("profiles", "profile"), "profile", id="an unknown field"),
        pytest.param("endpoints: [", "not YAML", id="no YAML"),
        pytest.param("", "endpoints", id="an empty file"),
    ],
)
def test_a_wrong_field_of_the_admins_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=named):
        load_admin_config(path)


def test_the_process_ends_with_two_and_one_line_when_it_is_configured_wrongly(tmp_path: Path) -> None:
    env = {"FL_NAMESPACE": "ml", "FL_CONFIG": str(tmp_path / "absent.yaml"), "PYTHONPATH": "operator"}
    command = [sys.executable, "-m", "feedbackloop"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "absent.yaml" in done.stderr


def test_the_process_says_that_it_cannot_find_an_api_server(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(GOOD)
    env = {"FL_NAMESPACE": "ml", "FL_CONFIG": str(tmp_path / "config.yaml"), "PYTHONPATH": "operator"}
    command = [sys.executable, "-m", "feedbackloop"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "KUBECONFIG is not set" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_process_imports_neither_boto3_nor_mlflow() -> None:
    code = "import feedbackloop.__main__, sys; print([m for m in ('boto3', 'botocore', 'mlflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "operator"}, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
