"""What the files in `deploy/` name is there: commands, settings, ports, paths, probes and the paths of each role."""

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.deploy.files import (
    DEPLOY,
    KUBERNETES,
    ROOT,
    Process,
    compose,
    image,
    instruction,
    instructions,
    objects,
    pods,
)
from tests.deploy.files import processes as all_processes
from wetink.cli import main, serve
from wetink.settings import SETTINGS, Settings, read
from wetink.store import engine_of
from wetink.web.app import ROUTES
from wetink.web.ingest import IngestEndpoints
from wetink.web.open import OpenEndpoints
from wetink.web.server import END_SECONDS, STOP_SECONDS

PROCESSES = list(all_processes())
NAMES = {f"WETINK_{name.upper()}" for name, *_ in SETTINGS}
PATHS = {getattr(route, "path", "") for route in ROUTES}
CADDY = {"WETINK_SITE", "WETINK_INGEST", "WETINK_OPEN", "WETINK_DASHBOARD"}
every_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.place)
every_pod = pytest.mark.parametrize("pod", [pod for folder in KUBERNETES for pod in pods(folder)])
every_folder = pytest.mark.parametrize("folder", KUBERNETES, ids=lambda folder: folder.name)


def settings_of(process: Process) -> Settings:
    """Return the settings with which a process would start."""
    name, *arguments = process.arguments
    command = main.commands[name]
    assert command is serve
    given = command.make_context(name, arguments).params
    return read({key: text for key, text in process.environment.items() if key in NAMES}, **given)


@every_process
def test_a_process_starts_with_a_command_and_settings_that_there_are(process: Process) -> None:
    assert {name for name in process.environment if name.startswith("WETINK_")} <= NAMES
    settings = settings_of(process)
    assert settings.data == Path("/var/lib/wetink")


@every_process
def test_a_process_has_the_time_to_answer_what_it_has(process: Process) -> None:
    drain = settings_of(process).drain_seconds
    if process.place != "Containerfile":
        assert process.seconds > drain + STOP_SECONDS + END_SECONDS


def test_the_files_start_every_role() -> None:
    for place in ("compose.yaml", "wetink@", *(f"kubernetes/{folder.name}" for folder in KUBERNETES)):
        started = [settings_of(each).role for each in PROCESSES if each.place.startswith(place)]
        assert set().union(*started) == {"ingest", "open", "worker", "dashboard"}


def test_a_variable_that_no_file_defines_is_not_asked_for() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    asked = set(re.findall(r"\{\$(\w+)", text))
    assert asked == CADDY == compose()["services"]["proxy"]["environment"].keys()


def test_the_image_ends_on_the_signal_and_tells_its_health_on_the_port() -> None:
    settings = settings_of(image())
    assert instruction("STOPSIGNAL") == "SIGTERM"
    assert settings.metrics is not None
    assert instruction("EXPOSE").split() == [str(settings.port), str(settings.metrics[1])]
    [address] = re.findall(r"http://127.0.0.1:(\d+)(/\w+)", instruction("HEALTHCHECK"))
    assert address == (str(settings.port), "/healthz")


def test_the_image_has_no_compiler_and_no_rights() -> None:
    assert not any("apt" in text or "make" in text for _, text in instructions(-1))
    assert instruction("FROM").endswith("-slim-bookworm")
    assert int(instruction("USER").split(":")[0]) > 10_000
    assert instruction("USER").split(":")[0] in instruction("RUN")


def test_the_image_leaves_out_the_tools_of_the_build() -> None:
    lines = (ROOT / "requirements-build.in").read_text().splitlines()
    tools = {line for line in lines if not line.startswith("#")}
    steps = " ".join(text for _, text in instructions(0))
    [removed] = re.findall(r"uninstall --yes ([\w -]+)", steps)
    assert set(removed.split()) == {"pip", "setuptools"}, "a virtual environment comes with them"
    assert set(re.findall(r"--requirement (\S+)", steps)) == {"requirements.lock"}
    assert tools.isdisjoint(re.findall(r"^([\w-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert tools <= set(re.findall(r"^([\w-]+)==", (ROOT / "requirements-build.lock").read_text(), re.M))


def test_the_image_is_built_by_a_command_that_there_is() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    asked = {text.split()[1] for _, text in instructions(0) if text.startswith("make ")}
    assert asked == {"wheel"} <= targets


def test_the_build_gets_every_file_that_git_knows() -> None:
    """What `.dockerignore` leaves out is built anew, or is a picture of the documents."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    known = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    extra = {"docs/pictures", ".git", ".*_cache", "**/__pycache__", "**/node_modules"}
    assert {each.strip("/") for each in ignored} <= known | extra


@pytest.mark.parametrize("name", [name for name, each in compose()["services"].items()])
def test_a_service_of_compose_writes_nowhere_else_and_has_no_rights(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if service["image"] == "wetink":
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        assert service["volumes"] == ["data:/var/lib/wetink"]
    ports = [port.split(":")[-1] for port in service.get("ports", ())]
    assert set(ports) <= ({"80", "443"} if name == "proxy" else {str(settings_of(image()).port)})


def test_a_service_of_compose_takes_any_other_setting_from_a_file() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    [(name, setting)] = re.findall(r"^# .* the file (\S+), in the same folder: (\w+)=", text, re.M)
    assert setting in NAMES
    for service in compose()["services"].values():
        if service["image"] == "wetink":
            assert service["env_file"] == [{"path": name, "required": False}]
            assert setting not in service["environment"], "an empty one would replace that of the file"
    for ignoring in (".gitignore", ".dockerignore"):  # it has passwords
        assert f"deploy/{name}" in {line.strip("/") for line in (ROOT / ignoring).read_text().splitlines()}


@every_folder
def test_a_pod_may_reach_the_ports_that_addresses_of_settings_name(folder: Path) -> None:
    [policy] = [each for each in objects(folder) if each["kind"] == "NetworkPolicy"]
    open_ = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    page = (ROOT / "docs" / "settings.md").read_text()
    mail = {int(port) for port in re.findall(r"smtps?://[^`\s]*:(\d+)", page)}
    assert mail
    assert {53, 80, 443, *mail} <= open_
    assert folder.name != "roles" or {5432, 4222, 8222} <= open_


def test_the_database_of_compose_is_where_its_comment_says() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    [address] = re.findall(r"^# +WETINK_STORE=(\S+)$", text, re.M)
    engine_of(read({"WETINK_STORE": address}).store).exists(address)
    server = urlsplit(address)
    service = compose()["services"][str(server.hostname)]
    assert (server.username, server.path) == (
        service["environment"]["POSTGRES_USER"],
        f"/{service['environment']['POSTGRES_DB']}",
    )
    assert server.port == 5432
    version = int(service["image"].rpartition(":")[2])
    assert 15 <= version <= 18


@every_folder
def test_a_secret_of_the_manifests_names_a_store_that_there_is(folder: Path) -> None:
    text = (folder / "kustomization.yaml").read_text()
    secrets = {
        each["secretRef"]["name"]
        for pod in pods(folder)
        for container in pod["spec"]["containers"]
        for each in container["envFrom"]
        if "secretRef" in each
    }
    for name, address in re.findall(r"create secret generic (\S+) --from-literal=WETINK_STORE=(\S+)", text):
        assert engine_of(read({"WETINK_STORE": address}).store).exists(address)
        secrets.remove(name)
    assert not secrets


def test_the_stream_of_compose_is_where_its_comment_says() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    [address] = re.findall(r"^# +WETINK_LOG=(\S+)$", text, re.M)
    assert read({"WETINK_LOG": address}).log == address
    server, asked = urlsplit(address), parse_qs(urlsplit(address).query)
    monitoring = urlsplit(asked["monitoring"][0])
    config = (DEPLOY / "nats.conf").read_text()
    assert f"listen: 0.0.0.0:{server.port}" in config
    assert f"http: 0.0.0.0:{monitoring.port}" in config
    assert "sync_interval: always" in config
    assert {server.hostname, monitoring.hostname} <= compose()["services"].keys()
    folders = [volume.split(":")[1] for volume in compose()["services"][str(server.hostname)]["volumes"]]
    assert re.findall(r"store_dir: (\S+)", config)[0] in folders
    assert compose()["services"][str(server.hostname)]["command"][1] in folders


def test_caddy_finds_each_role_by_its_service_and_port() -> None:
    services = compose()["services"]
    for name, text in services["proxy"]["environment"].items():
        if name != "WETINK_SITE":
            service, _, port = text.partition(":")
            assert services[service]["command"][-1] == service == name.removeprefix("WETINK_").lower()
            assert int(port) == settings_of(image()).port


def test_caddy_and_the_ingress_send_each_path_to_its_role() -> None:
    messages, opens = set(IngestEndpoints.PATHS), {*OpenEndpoints.PATHS, "/v/"}
    text = (DEPLOY / "Caddyfile").read_text()
    for name, paths in (("messages", messages), ("opens", opens)):
        [listed] = re.findall(rf"@{name} path (.*)", text)
        assert {each.rstrip("*").rstrip("/") for each in listed.split()} == {each.rstrip("/") for each in paths}
    for folder in KUBERNETES:
        [ingress] = [each for each in objects(folder) if each["kind"] == "Ingress"]
        [rule] = ingress["spec"]["rules"]
        found: dict[str, set[str]] = {}
        for each in rule["http"]["paths"]:
            found.setdefault(each["backend"]["service"]["name"], set()).add(each["path"].rstrip("/"))
        if folder.name == "roles":
            assert found["wetink-ingest"] == {each.rstrip("/") for each in messages}
            assert found["wetink-open"] == {each.rstrip("/") for each in opens}
        services = {each["metadata"]["name"] for each in objects(folder) if each["kind"] == "Service"}
        assert found.keys() <= services


@every_pod
def test_a_pod_is_asked_at_addresses_that_there_are(pod: Any) -> None:
    [container] = pod["spec"]["containers"]
    settings = settings_of(image())
    assert settings.metrics is not None
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": settings.port, "metrics": settings.metrics[1]}
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(settings.metrics[1])
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["path"] for probe in probes.values()} <= PATHS
    assert {name: (probe["path"], probe["port"]) for name, probe in probes.items()} == {
        "startup": ("/healthz", "http"),
        "liveness": ("/healthz", "http"),
        "readiness": ("/readyz", "http"),
    }


@every_pod
def test_a_pod_has_no_rights_and_writes_to_its_volumes_alone(pod: Any) -> None:
    spec, [container] = pod["spec"], pod["spec"]["containers"]
    user = int(instruction("USER").split(":")[0])
    assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, user)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False, "the variable WETINK_PORT would be an address"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/wetink", "/tmp"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"].keys() == {"memory"}


@every_folder
def test_every_pod_has_a_budget_and_a_policy(folder: Path) -> None:
    def chosen(kind: str) -> list[dict[str, str]]:
        specs = [each["spec"] for each in objects(folder) if each["kind"] == kind]
        return [spec.get("selector", spec.get("podSelector"))["matchLabels"] for spec in specs]

    for pod in pods(folder):
        labels = pod["metadata"]["labels"].items()
        for kind in ("PodDisruptionBudget", "NetworkPolicy"):
            assert [each for each in chosen(kind) if each.items() <= labels]


@every_folder
def test_an_autoscaler_scales_what_is_there_by_what_is_measured(folder: Path) -> None:
    names = {each["metadata"]["name"] for each in objects(folder) if each["kind"] == "Deployment"}
    measured = (ROOT / "docs" / "operating.md").read_text()
    rules = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text())["rules"]
    for each in objects(folder):
        if each["kind"] == "HorizontalPodAutoscaler":
            assert each["spec"]["scaleTargetRef"]["name"] in names
            for metric in each["spec"]["metrics"]:
                for kind, offered in (("Pods", rules["custom"]), ("External", rules["external"])):
                    if metric["type"] == kind:
                        name = metric[kind.lower()]["metric"]["name"]
                        assert f"`{name}" in measured
                        assert [name] == [rule["name"]["as"] for rule in offered if f'"{name}"' in rule["seriesQuery"]]


def test_the_adapter_asks_for_metrics_and_labels_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text())["rules"]
    documented = dict(re.findall(r"^\| `(wetink_\w+)\{([\w,]+)\}`", (ROOT / "docs" / "operating.md").read_text(), re.M))
    for rule in (*rules["custom"], *rules["external"]):
        [name] = re.findall(r'__name__="(\w+)"', rule["seriesQuery"])
        labels = set(re.findall(r"by \(([\w, ]+)\)", rule["metricsQuery"]) or [""])
        assert {each for text in labels for each in text.split(", ") if each} <= set(documented[name].split(","))


def test_the_unit_runs_as_the_user_that_the_documents_create() -> None:
    unit = dict(line.split("=", 1) for line in (DEPLOY / "wetink@.service").read_text().splitlines() if "=" in line)
    text = (ROOT / "docs" / "operating.md").read_text()
    assert f"useradd --system --home-dir /var/lib/{unit['StateDirectory']} {unit['User']}" in text
    assert unit["KillMode"] == "mixed", "else the drawers would end before the opens that wait for them"
    assert shlex.split(unit["ExecStart"])[0] in text


@pytest.mark.parametrize("folder", KUBERNETES, ids=lambda folder: folder.name)
def test_kustomize_sets_the_image_and_the_settings_that_pods_use(folder: Path) -> None:
    said = yaml.safe_load((folder / "kustomization.yaml").read_text())
    images = {container["image"] for pod in pods(folder) for container in pod["spec"]["containers"]}
    assert {each["name"] for each in said["images"]} == images
    maps = {each["name"] for each in said["configMapGenerator"]}
    for pod in pods(folder):
        [container] = pod["spec"]["containers"]
        assert {each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each} == maps
