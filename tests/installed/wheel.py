"""An empty virtual environment with wetink's wheel, and nothing but what the wheel asks for."""

import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(place: Path) -> Path:
    """Return the wheel that `make wheel` builds of a checkout that is set up."""
    command = ["make", "--old-file=setup", "wheel", f"DIST={place / 'dist'}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    [wheel] = (place / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, place: Path) -> Path:
    """Install a wheel into a new environment, with the distributions that it requires. Returns the folder of commands.

    Their files are linked from this environment: that takes a second, and leaves out what only development needs.
    """
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    [packages] = (place / "lib").glob("python*/site-packages")
    [wetink] = packages.glob("wetink-*.dist-info")
    for each in _required(Distribution.at(wetink), set()):
        for file in each.files or ():
            source, target = Path(str(each.locate_file(file))), packages / file
            if ".." not in file.parts and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(source)
    return python.parent


def _required(of: Distribution, seen: set[str]) -> Iterator[Distribution]:
    """Yield the distributions that one requires, itself or by others. Raises PackageNotFoundError."""
    for text in of.requires or ():
        name = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", text, maxsplit=1)[0]).lower()
        if ";" in text and not _applies(text.partition(";")[2]):
            continue
        if name not in seen:
            seen.add(name)
            found = distribution(name)
            yield found
            yield from _required(found, seen)


def _applies(marker: str) -> bool:
    from packaging.markers import Marker

    return Marker(marker.strip()).evaluate({"extra": ""})
