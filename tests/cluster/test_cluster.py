"""The cluster itself, for real: a second one beside whatever runs, used, hurt, healed and taken down."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import api, cgroups, description, manifests, mounts, supervisor, volumes
from tests.cluster.description import Description
from tests.cluster.errors import CommandError
from tests.cluster.kubectl import Kubectl
from tests.cluster.paths import ClusterPaths
from tests.cluster.waiting import wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NAME = "cluster-test"
IMAGE = "localhost/feedbackloop-cluster-test:1"
NAMESPACE = "restricted"
USER = 65532
CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
NODE = ["containerd", "kubelet", "kube-proxy", "coredns"]


def command(*words: str, name: str = NAME) -> str:
    """The command line as a user calls it; what it says goes to the test's log."""
    argv = [sys.executable, "-m", "tests.cluster", *words, "--name", name]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Description]:
    """A node cluster of our own with one image and a restricted namespace."""
    command("down")
    command("up", "--profile", "node")
    context = tmp_path_factory.mktemp("image")
    (context / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    command("build-image", "--tag", IMAGE, "--context", str(context))
    yield description.load(NAME)
    command("down")


@pytest.fixture(scope="module")
def kubectl(cluster: Description) -> Kubectl:
    """The administrator's kubectl, and the namespace that the tests use."""
    kubectl = api.kubectl(NAME)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    wait_for(lambda: kubectl.succeeds("get", "sa", "default", "-n", NAMESPACE), "the namespace", seconds=20)
    return kubectl


def pod_spec(script: str, claims: dict[str, str] | None = None, *, read_only: bool = False) -> dict[str, Any]:
    """A pod that the restricted level accepts; `claims` maps mount paths to claims."""
    sources = {path: {"claimName": claim, "readOnly": read_only} for path, claim in (claims or {}).items()}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    mounted = [{"name": source["claimName"], "mountPath": path} for path, source in sources.items()]
    container = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": ["bash", "-ec", script]}
    return {
        "containers": [{**container, "securityContext": security, "volumeMounts": mounted}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
        "volumes": [{"name": source["claimName"], "persistentVolumeClaim": source} for source in sources.values()],
    }


def run_pod(kubectl: Kubectl, name: str, spec: dict[str, Any]) -> str:
    """Run the pod to its end; its output."""
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
    wait_for(lambda: phase(kubectl, name) in ("Succeeded", "Failed"), f"pod {name} to end", seconds=90)
    output = kubectl("logs", name, "-n", NAMESPACE)
    assert phase(kubectl, name) == "Succeeded", output
    kubectl("delete", "pod", name, "-n", NAMESPACE)
    return output


def phase(kubectl: Kubectl, pod: str) -> str:
    """The pod's phase."""
    return kubectl("get", "pod", pod, "-n", NAMESPACE, "--output=jsonpath={.status.phase}")


def claim(name: str) -> dict[str, Any]:
    """A claim on the pool."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def web(kubectl: Kubectl) -> str:
    """A Deployment of two pods and its Service, Available; the Service's address."""
    labels = {"app": "web"}
    spec = pod_spec("exec python3 -m http.server 8080 --directory /etc/ssl")
    spec["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    spec["restartPolicy"] = "Always"
    template = {"metadata": {"labels": labels}, "spec": spec}
    metadata = {"name": "web", "namespace": NAMESPACE}
    deployment = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}
    kubectl.apply(
        manifests.as_list(
            [
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment},
                {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
            ]
        )
    )
    kubectl("rollout", "status", "deployment/web", "-n", NAMESPACE, "--timeout=90s")
    return kubectl("get", "service", "web", "-n", NAMESPACE, "--output=jsonpath={.spec.clusterIP}")


def answers(address: str) -> bool:
    """Whether the Service answers the host."""
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_exec_and_logs_reach_the_pod(kubectl: Kubectl, web: str) -> None:
    words = ("exec", "deployment/web", "-n", NAMESPACE, "--", "id", "-u")
    assert kubectl(*words).strip() == str(USER)
    assert "GET /" in kubectl("logs", "deployment/web", "-n", NAMESPACE)


def test_a_light_cluster_beside_has_controllers_but_no_node(cluster: Description) -> None:
    light = f"{NAME}-light"
    try:
        command("up", "--profile", "light", name=light)
        kubectl = api.kubectl(light)
        kubectl("create", "deployment", "app", f"--image={IMAGE}")
        wait_for(lambda: len(kubectl.items("pods")) == 1, "the controllers to make a pod", seconds=20)
        assert kubectl.items("nodes") == []
    finally:
        command("down", name=light)


def test_up_again_does_nothing(cluster: Description) -> None:
    before = supervisor.identities(cluster)
    assert command("up", "--profile", "node").strip() == str(cluster.paths.kubeconfig)
    assert supervisor.identities(cluster) == before


def test_a_service_answers_pods_by_name_and_the_host_by_address(kubectl: Kubectl, web: str) -> None:
    wait_for(lambda: answers(web), "the Service", seconds=20)
    script = f"wget -q -T 5 -O /dev/null http://web.{NAMESPACE}.svc.cluster.local/ && wget -q -T 5 -O - http://web/"
    assert "certs" in run_pod(kubectl, "client", pod_spec(script))


def test_a_name_outside_the_cluster_fails_at_once(kubectl: Kubectl) -> None:
    script = "time -p getent hosts unknown.invalid || echo none"
    assert "none" in run_pod(kubectl, "outside", pod_spec(script))


def test_pods_reach_the_api_server_and_the_host(kubectl: Kubectl, cluster: Description) -> None:
    with socket.create_server((cluster.network.host_address, 0)) as server:
        host, port = server.getsockname()
        api_server = "https://kubernetes.default.svc/healthz"
        script = f"echo > /dev/tcp/{host}/{port} && wget -q -T 5 --no-check-certificate -O - {api_server}"
        assert run_pod(kubectl, "reach", pod_spec(script)) == "ok"


def test_the_restricted_level_is_enforced(kubectl: Kubectl) -> None:
    spec = pod_spec("true")
    spec["volumes"] = [{"name": "host", "hostPath": {"path": "/"}}]
    with pytest.raises(CommandError, match="violates PodSecurity"):
        run_pod(kubectl, "forbidden", spec)


def test_a_volume_belongs_to_the_pods_group(kubectl: Kubectl, cluster: Description) -> None:
    volumes.ensure(cluster, kubectl, 1)
    kubectl.apply(claim("data"))
    output = run_pod(kubectl, "writer", pod_spec("echo kept > /data/file; stat -c %g /data", {"/data": "data"}))
    assert output.strip() == str(USER)
    assert run_pod(kubectl, "reader", pod_spec("cat /data/file", {"/data": "data"})) == "kept\n"


def test_a_released_volume_comes_back_empty(kubectl: Kubectl, cluster: Description) -> None:
    used = kubectl("get", "pvc", "data", "-n", NAMESPACE, "--output=jsonpath={.spec.volumeName}")
    kubectl("delete", "pvc", "data", "-n", NAMESPACE)
    kubectl("wait", "--for=jsonpath={.status.phase}=Released", f"pv/{used}", "--timeout=30s")
    made = volumes.ensure(cluster, kubectl, 2)
    assert not (cluster.paths.volumes / used).exists()
    assert len(made) == 2
    assert volumes.ensure(cluster, kubectl, 2) == []


def test_a_published_directory_is_read_only_at_its_path(kubectl: Kubectl, cluster: Description, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from the host")
    tmp_path.chmod(0o755)
    for _ in range(2):
        volumes.publish(cluster, kubectl, "tools", tmp_path, NAMESPACE)
        spec = pod_spec(f"cat {tmp_path}/file; ! touch {tmp_path}/new", {str(tmp_path): "tools"}, read_only=True)
        assert "from the host" in run_pod(kubectl, "tool-user", spec)
        kubectl("delete", "pvc", "tools", "-n", NAMESPACE)
    assert (tmp_path / "file").stat().st_gid != USER


def test_requests_are_audited_by_user_agent(kubectl: Kubectl, cluster: Description) -> None:
    kubectl("create", "configmap", "audited", "-n", NAMESPACE)
    events = [json.loads(line) for line in cluster.paths.audit_log.read_text().splitlines()]
    [event] = [event for event in events if event.get("objectRef", {}).get("name") == "audited"]
    assert event["user"]["username"] == "admin"
    assert event["userAgent"].startswith("kubectl/v1.")


@pytest.mark.parametrize("component", CONTROL_PLANE + NODE)
def test_up_restarts_exactly_what_was_killed(kubectl: Kubectl, cluster: Description, web: str, component: str) -> None:
    before = supervisor.identities(cluster)
    os.kill(before[component].pid, signal.SIGKILL)
    wait_for(lambda: component not in supervisor.running(cluster), f"{component} to die", seconds=10)
    command("up", "--profile", "node")
    after = supervisor.running(cluster)
    assert {name for name in before if before[name] != after[name]} == {component}
    wait_for(lambda: answers(web), "the Service", seconds=20)
    name = f"after-{component}"
    assert "certs" in run_pod(kubectl, name, pod_spec("wget -q -T 5 -O - http://web/"))


def test_up_heals_a_cluster_of_which_nothing_is_left_running(kubectl: Kubectl, cluster: Description, web: str) -> None:
    for identity in supervisor.identities(cluster).values():
        os.kill(identity.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.running(cluster), "all to die", seconds=10)
    command("up", "--profile", "node")
    assert len(supervisor.running(cluster)) == len(CONTROL_PLANE + NODE)
    assert "certs" in run_pod(kubectl, "after-all", pod_spec("wget -q -T 5 -O - http://web/"))


def test_down_leaves_nothing(kubectl: Kubectl, cluster: Description, web: str) -> None:
    processes = supervisor.running(cluster).values()
    command("down")
    assert not [identity for identity in processes if Path(f"/proc/{identity.pid}/exe").exists()]
    assert not supervisor.shims(cluster.paths.containerd_socket)
    assert not [folder for folder in cgroups.folders(NAME) if folder.exists()]
    assert not Path(f"/sys/class/net/{cluster.network.link}").exists()
    for folder in (ClusterPaths.of(NAME).state, ClusterPaths.of(NAME).run):
        assert mounts.under(folder) == []
        assert not folder.exists()
    assert not [link for link in Path("/var/log/containers").glob("*") if f"/{NAME}/" in str(link.readlink())]
    assert not list(Path("/var/lib/cni/results").glob(f"feedbackloop-{NAME}-*"))
    command("down")
