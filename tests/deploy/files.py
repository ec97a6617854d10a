"""The files in `deploy/` as values: each process that they start, with its command, settings, ports and probes."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = sorted(DEPLOY.glob("kubernetes/*"))


class Process(NamedTuple):
    """A process of wetink: its place, the arguments of `wetink`, its environment, and the seconds it has to end."""

    place: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    seconds: float


def instructions(stage: int) -> list[tuple[str, str]]:
    """Return the instructions of a stage of the Containerfile with their texts."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text())
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    starts = [number for number, (name, _, _) in enumerate(lines) if name == "FROM"]
    stages = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    return [(name, rest) for name, _, rest in stages[stage]]


def instruction(name: str) -> str:
    """Return the text of an instruction of the last stage."""
    return next(text for each, text in instructions(-1) if each == name)


def image() -> Process:
    """Return the process of the image alone."""
    environment = dict(pair.split("=", 1) for pair in shlex.split(instruction("ENV")))
    command = [*yaml.safe_load(instruction("ENTRYPOINT")), *yaml.safe_load(instruction("CMD"))]
    return Process("Containerfile", command[1:], environment, 10.0)


def compose() -> Any:
    """Return the Compose file, its variables replaced by their defaults."""
    text = (DEPLOY / "compose.yaml").read_text()
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))


def objects(folder: Path) -> list[Any]:
    """Return the Kubernetes objects of a folder."""
    return [each for each in yaml.safe_load_all((folder / "wetink.yaml").read_text()) if each]


def pods(folder: Path) -> list[Any]:
    """Return the templates of a folder's pods."""
    return [each["spec"]["template"] for each in objects(folder) if "template" in each.get("spec", ())]


def processes() -> Iterator[Process]:
    """Yield every process of wetink that the files start."""
    ours = image()
    yield ours
    for name, service in compose()["services"].items():
        if service["image"] == "wetink":
            more = {key: str(value or "") for key, value in service["environment"].items()}
            seconds = float(service["stop_grace_period"].removesuffix("s"))
            command = service.get("command", ours.arguments)
            yield Process(f"compose.yaml {name}", command, {**ours.environment, **more}, seconds)
    for folder in KUBERNETES:
        [generated] = yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]
        more = dict(pair.split("=", 1) for pair in generated["literals"])
        for pod in pods(folder):
            [container] = pod["spec"]["containers"]
            seconds = pod["spec"]["terminationGracePeriodSeconds"]
            place = f"kubernetes/{folder.name} {container['args']}"
            yield Process(place, container["args"], {**ours.environment, **more}, seconds)
    for role in ("all", "ingest", "open", "worker", "dashboard"):
        unit = [
            line.partition("=") for line in (DEPLOY / "wetink@.service").read_text().replace("%i", role).splitlines()
        ]
        environment = dict(text.split("=", 1) for name, _, text in unit if name == "Environment")
        known = {name: text for name, _, text in unit}
        command = shlex.split(known["ExecStart"])
        yield Process(f"wetink@{role}.service", command[1:], environment, float(known["TimeoutStopSec"]))
