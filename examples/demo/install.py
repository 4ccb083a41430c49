"""Installs everything the demo needs, on a machine that may be fresh: environments, cluster, image, platform, chart."""

from __future__ import annotations

import base64
import json
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from examples.demo.narrate import Narrator
from examples.demo.settings import IMAGE, NAMESPACE, RELEASE, ROOT, Settings, cluster_name
from examples.demo.shell import Kubectl, rendered, run, stream
from tests.cluster import api as cluster
from tests.cluster import image_build
from tests.support.envs import cache_root

TOOL = ("/usr/bin/python3", "-m", "tests.cluster")
ENVIRONMENTS = ("trainer", "mlflow", "seaweedfs")


@dataclass
class Installation:
    """What an installed demo consists of, for the steps that follow."""

    kubectl: Kubectl
    environments: dict[str, Path]
    base_model: Path
    build_seconds: float = 0.0
    """Time spent compiling the cluster's binary; 0 when it was cached."""


def install(settings: Settings, narrator: Narrator) -> Installation:
    """Everything up to an operator that runs and an S3 that answers."""
    with ThreadPoolExecutor(4) as pool:
        base = pool.submit(prepare_model, narrator)
        build_seconds = build_cluster_binary(narrator)
        kubectl = start_cluster(narrator)
        load_image(narrator)
        environments = {name: environment(name, narrator) for name in ENVIRONMENTS}
        publish(kubectl, environments, narrator)
        apply_platform(kubectl, environments, narrator)
        install_chart(kubectl, environments, narrator)
        wait_for_platform(kubectl, narrator)
        return Installation(kubectl, environments, result(base, "training the base model", narrator), build_seconds)


def result(future: Future[Path], what: str, narrator: Narrator) -> Path:
    with narrator.waiting("setup", what):
        return future.result()


def environment(name: str, narrator: Narrator) -> Path:
    """The environment of `requirements/<name>.txt`, built when it is missing."""
    with narrator.waiting("setup", f"installing requirements/{name}.txt"):
        return Path(run("python3", "-m", "tests.support.envs", name).split()[-1])


def prepare_model(narrator: Narrator) -> Path:
    """Train the base model on the host, anew for each demo."""
    python = environment("trainer", narrator) / "bin" / "python"
    out = cache_root() / "demo" / "base"
    narrator.say("setup", "training the base model: 24 facts, six of them stale")
    run("rm", "-rf", out)
    out.parent.mkdir(parents=True, exist_ok=True)
    run(python, "-m", "examples.support_bot.base", out, env={"OMP_NUM_THREADS": "1"})
    narrator.say("setup", "base model trained")
    return out


def build_cluster_binary(narrator: Narrator) -> float:
    start = time.monotonic()
    stream(narrator, "setup", *TOOL, "build")
    seconds = time.monotonic() - start
    return seconds if seconds > 5 else 0.0


def start_cluster(narrator: Narrator) -> Kubectl:
    stream(narrator, "setup", *TOOL, "up", "--name", cluster_name(), "--profile", "node")
    return connect()


def connect() -> Kubectl:
    """kubectl on the demo's running cluster."""
    return Kubectl(cluster.binary("kubectl"), cluster.kubeconfig(cluster_name()), NAMESPACE)


def load_image(narrator: Narrator) -> None:
    recipe = ("--context", ".", "--file", "operator/Dockerfile", "--tag", IMAGE)
    stream(narrator, "setup", *TOOL, "build-image", "--name", cluster_name(), *recipe)


def image_content() -> str:
    return image_build.Recipe(IMAGE, ROOT / "operator" / "Dockerfile", ROOT).content


def publish(kubectl: Kubectl, environments: dict[str, Path], narrator: Narrator) -> None:
    """Give pods the environments: static local volumes, mounted read-only at the path they were built at."""
    kubectl(
        "apply",
        "--server-side",
        "--field-manager=demo",
        "-f",
        "-",
        stdin=rendered("namespace.yaml", namespace=NAMESPACE),
    )
    for name, path in environments.items():
        where = ("--name", cluster_name(), "--namespace", NAMESPACE)
        stream(narrator, "setup", *TOOL, "publish-dir", *where, f"env-{name}", path)
    stream(narrator, "setup", *TOOL, "ensure-volumes", "--name", cluster_name(), "--count", "6")


def apply_platform(kubectl: Kubectl, environments: dict[str, Path], narrator: Narrator) -> None:
    """S3, MLflow and the team's own server; the server stays unready until a loop adopts it."""
    narrator.say("setup", "applying SeaweedFS, MLflow and the demo server")
    values = {f"{name}_env": str(path) for name, path in environments.items()}
    if kubectl.get("secret", "loop-kek") is None:
        keys = {name: secrets.token_hex(16) for name in CREDENTIALS}
        kek = base64.b64encode(secrets.token_bytes(32)).decode()
        kubectl.apply(rendered("secrets.yaml", namespace=NAMESPACE, kek_base64=kek, **keys))
    for part in ("seaweedfs", "mlflow", "server"):
        kubectl.apply(rendered(f"{part}.yaml", namespace=NAMESPACE, image=IMAGE, **values))


CREDENTIALS = ("s3_admin", "s3_operator", "s3_loop", "s3_models_read", "s3_models_write", "s3_mlflow", "app_token")


def install_chart(kubectl: Kubectl, environments: dict[str, Path], narrator: Narrator) -> None:
    """The operator, by its chart, with the admin's endpoints and profiles."""
    narrator.say("setup", "installing the chart")
    values = ROOT / "out" / "demo" / "values.json"
    values.parent.mkdir(parents=True, exist_ok=True)
    values.write_text(json.dumps(chart_values(environments), indent=2), encoding="utf-8")
    helm(kubectl, "upgrade", "--install", RELEASE, "charts/feedbackloop-operator", "-f", str(values))


def helm(kubectl: Kubectl, *arguments: str) -> str:
    return run(cluster.binary("helm"), "--kubeconfig", kubectl.kubeconfig, "-n", NAMESPACE, *arguments)


def chart_values(environments: dict[str, Path]) -> dict[str, object]:
    trainer = environments["trainer"]
    small = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    return {
        "image": {"repository": IMAGE.rsplit(":", 1)[0], "tag": IMAGE.rsplit(":", 1)[1]},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        # The tag stays the same; this is what restarts the operator when the code has changed.
        "podAnnotations": {"feedbackloop.dev/image-content": image_content()},
        "credentials": [{"endpointName": "s3", "secretName": "s3-operator"}],
        "config": {
            "endpoints": [
                {"name": "s3", "type": "S3", "url": f"http://s3.{NAMESPACE}.svc:8333"},
                {"name": "mlflow", "type": "MLflow", "url": f"http://mlflow.{NAMESPACE}.svc:5000"},
            ],
            "jobs": {"name": "jobs", "image": IMAGE, "resources": small},
            "profiles": [
                {
                    "name": "cpu-small",
                    "image": IMAGE,
                    "python": f"{trainer}/bin/python",
                    "env": {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
                    "resources": {"requests": {"cpu": "300m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
                    "volumes": [{"claimName": "env-trainer", "mountPath": str(trainer)}],
                }
            ],
            "gateway": {
                "image": IMAGE,
                "storageClassName": "local",
                "storage": "1Gi",
                "resources": {"requests": {"cpu": "150m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            },
        },
    }


def wait_for_platform(kubectl: Kubectl, narrator: Narrator) -> None:
    for what in ("deployment/seaweedfs", "deployment/mlflow", f"deployment/{RELEASE}-operator"):
        with narrator.waiting("setup", f"waiting for {what}"):
            kubectl("rollout", "status", what, "--timeout=300s")
    narrator.say("setup", "S3, MLflow and the operator are ready")
