"""The wheel is whole: installed alone, far from the checkout, it draws."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.installed.wheel import ROOT, build, install


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("installed"))


def run(command: Path, *arguments: str, folder: Path) -> str:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WETINK"))}
    done = subprocess.run([command, *arguments], cwd=folder, env=known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "wetink").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    # The docs are linked into the package, which the walk above does not follow. Their film is too large for a wheel.
    docs = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".svg")]
    there |= {f"wetink/{path.relative_to(ROOT).as_posix()}" for path in docs}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.startswith("wetink-")}
    assert packed == there
    assert {"wetink/web/static/built/dashboard.js", "wetink/render/fonts/letters.json"} <= packed


def test_an_installed_wetink_shows_its_demo_and_draws(commands: Path, tmp_path: Path) -> None:
    where = run(commands / "python", "-c", "import wetink; print(wetink.__file__)", folder=tmp_path)
    assert Path(where.strip()).is_relative_to(commands.parent)
    docs = "from wetink.web.dashboard.help.docs import all_docs; print(*all_docs())"
    assert {"feeds", "apps/countdown"} <= set(run(commands / "python", "-c", docs, folder=tmp_path).split())
    run(commands / "wetink", "demo", "--once", str(tmp_path / "shown"), folder=tmp_path)
    pictures = [path for path in (tmp_path / "shown").iterdir() if path.suffix in (".jpg", ".png", ".gif")]
    assert len(pictures) >= 5
    for path in pictures:
        with Image.open(path) as picture:
            picture.load()
            assert len(picture.convert("RGB").getcolors(1 << 20) or [0] * 99) > 20, f"{path.name} shows something"
