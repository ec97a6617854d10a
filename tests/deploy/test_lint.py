"""The files in `deploy/` pass the strictest linters of their kind."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, KUBERNETES

TOOLS = Path(sys.executable).parent
VERSIONS = ("1.30", "1.37")
"""The oldest and the newest Kubernetes that the manifests are checked against."""
EXPOSURE = {"": 1.6, "chromium.conf": 2.1}
"""Most points, of ten, that systemd may find the unit to be exposed, alone and with a drop-in."""


def passes(*command: str | Path, folder: Path = DEPLOY, **environment: str) -> str:
    known = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_containerfile_passes_hadolint() -> None:
    passes(TOOLS / "hadolint", "--failure-threshold", "style", "Containerfile")


def test_every_yaml_file_passes_yamllint() -> None:
    rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"
    passes(TOOLS / "yamllint", "--strict", "-d", rules, ".")


def test_the_compose_file_follows_the_specification() -> None:
    passes(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", KUBERNETES, ids=lambda folder: folder.name)
def test_the_manifests_follow_the_schemas_of_kubernetes(folder: Path, version: str) -> None:
    passes(TOOLS / "kubernetes-validate", "--strict", "-k", version, folder / "wetink.yaml")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", KUBERNETES, ids=lambda folder: folder.name)
def test_kustomize_builds_the_manifests(folder: Path) -> None:
    built = passes("kubectl", "kustomize", folder)
    assert "image: registry.example/wetink:" in built
    assert re.search(r"name: wetink-[a-z0-9]{10}\n", built), "the settings are a generated map"


def test_caddy_reads_its_file_and_finds_it_well_formed(tmp_path: Path) -> None:
    roles = {"WETINK_INGEST": "a:1 b:1", "WETINK_OPEN": "c:1", "WETINK_DASHBOARD": "d:1"}
    caddy = TOOLS / "caddy"
    passes(caddy, "validate", "--config", "Caddyfile", HOME=str(tmp_path), WETINK_SITE="open.shop.example", **roles)
    assert passes(caddy, "fmt", "Caddyfile") == (DEPLOY / "Caddyfile").read_text()


def test_nats_reads_its_file() -> None:
    passes(TOOLS / "nats-server", "-t", "--config", "nats.conf")


@pytest.fixture(params=EXPOSURE)
def drop_in(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def unit(tmp_path: Path, drop_in: str) -> Path:
    """The unit of one role, whose command is on this machine."""
    made = tmp_path / "wetink@open.service"
    made.write_text((DEPLOY / "wetink@.service").read_text().replace("/opt/wetink/bin/wetink", str(TOOLS / "wetink")))
    if drop_in:
        (tmp_path / f"{made.name}.d").mkdir()
        shutil.copy(DEPLOY / drop_in, tmp_path / f"{made.name}.d")
    return made


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    assert passes("systemd-analyze", "verify", unit) == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_the_unit_little_exposed(unit: Path, drop_in: str) -> None:
    said = passes("systemd-analyze", "security", "--offline=true", unit)
    [points] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(points) <= EXPOSURE[drop_in]
