"""What a push takes can be kept: each odd value in each place is refused with its place, or kept and served."""

import asyncio
import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.asgi import ask
from wetink.cli import main
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink

VALUES: dict[str, str] = {
    "half a character": r'"\ud800"',
    "the other half": r'"a\udfffb"',
    "NUL": r'"a\0b"',
    "10^26": "1" + "0" * 26,
    "2^64": str(2**64),
    "-2^63 - 1": str(-(2**63) - 1),
    "a large float": "1.0e+400",
    "1e400, which is a text in YAML": "1e400",
    "infinity": ".inf",
    "not a number": ".nan",
    "a recursive alias": "&a [*a]",
    "a recursive mapping": "&a {x: *a}",
    "65 levels": "[" * 65 + "]" * 65,
    "10^5 letters": "a" * 100_000,
    "10^5 letters of four bytes": '"' + "\U0001f600" * 20_000 + '"',
    "2^64 - 1": str(2**64 - 1),
    "10^26 in quotes": '"1' + "0" * 26 + '"',
    "bidi": r'"\u202Eabc\u2066"',
    "a set": "!!set {a}",
}
NUMBERS = ("10^26", "2^64", "-2^63 - 1", "a large float", "infinity", "not a number")
ALWAYS_REFUSED = (*NUMBERS, "half a character", "the other half", "NUL", "a recursive alias", "65 levels", "a set")

HERO = """fallback: {link: "https://shop.example/", title: Hello%(fallback)s}
title: %(title)s
variants:
- name: %(name)s
  app: custom
  template: card.liquid
  settings: %(settings)s
"""
USUAL = {"fallback": "", "title": "A", "name": "card", "settings": "{}"}
CARD = "<p>{{ person.traits.first_name }} {{ settings.items }}</p>"


def block(**said: str) -> dict[str, str]:
    return {"blocks/hero.yaml": HERO % {**USUAL, **said}, "templates/card.liquid": CARD}


def extra(path: str, text: str) -> dict[str, str]:
    return {**block(), path: text}


PLACES: dict[str, Any] = {
    "a variant's name": lambda value: block(name=value),
    "a title": lambda value: block(title=value),
    "a fallback's title": lambda value: block(fallback=f", text: {value}"),
    "a fallback's button": lambda value: block(fallback=f", button: {value}"),
    "a fallback's image": lambda value: block(fallback=f", image: {value}"),
    "a variant's settings": lambda value: block(settings=value),
    "a setting": lambda value: block(settings=f"{{items: {value}}}"),
    "a variant's link": lambda value: block(settings=f"{{}}\n  link: {value}"),
    "a variant's template": lambda value: block(settings=f"{{}}\n  engine: {value}"),
    "a rule's value": lambda value: block(settings=f"{{}}\n  when: [{{trait: plan, equals: {value}}}]"),
    "a rule's name": lambda value: block(settings=f"{{}}\n  when: [{{done: {value}}}]"),
    "a tag": lambda value: block(title=f"x\nutm: {{source: {value}}}"),
    "alt text": lambda value: block(title=f"x\nalt: {value}"),
    "a width": lambda value: block(title=f"x\nwidth: {value}"),
    "an email": lambda value: block(title=f"x\nemail: {value}"),
    "an audience": lambda value: extra("audiences/a.yaml", f"title: {value}\nrule: {{done: Product Viewed}}"),
    "an audience's value": lambda value: extra("audiences/a.yaml", f"rule: {{trait: plan, equals: {value}}}"),
    "a feed": lambda value: extra("feeds/f.yaml", f"file: f.json\nformat: json\nevery: 1d\nitems: {value}"),
    "a mapping": lambda value: extra("mappings/m.yaml", f"events: {{Bought: {value}}}"),
    "signals": lambda value: extra("signals.yaml", f"goals: {{lead: {{event: {value}}}}}"),
    "an app's sample": lambda value: extra(
        "templates/card.yaml", f"title: Card\nsettings: {{}}\nsample: {{feeds: {{x: [{{a: {value}}}]}}}}"
    ),
    "an app's title": lambda value: extra("templates/card.yaml", f"title: {value}\nsettings: {{}}"),
    "a scenario": lambda value: extra("scenarios/s.yaml", f"name: {value}\nexpect: {{hero: {{}}}}"),
}


FILES = ("blocks/", "audiences/", "feeds/", "mappings/", "signals", "templates/", "scenarios/", "block ")


class Server:
    """A wetink behind its doors."""

    def __init__(self, folder: Path) -> None:
        self.wetink = Wetink(read({}, data=folder))
        self.app = create(self.wetink)
        self.runner = asyncio.Runner()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    async def push(self, files: dict[str, str | bytes], **more: Any) -> tuple[int, Any]:
        coded = {path: base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
                 for path, text in files.items()}  # fmt: skip
        return await self.post(msgspec.json.encode({"files": coded, **more}))

    async def post(self, body: bytes, path: str = "/api/content") -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.wetink.dashboard_token}", "content-type": "application/json"}
        answer = await ask(self.app, "POST", path, body, {**headers, "accept": "application/json"})
        return answer.status, msgspec.json.decode(answer.body)

    async def serves(self) -> None:
        """The block is opened, its open kept, and its pages answer."""
        opened = await ask(self.app, "GET", "/o/hero/1.png?user=42", b"", {})
        assert opened.status == 200
        with Image.open(BytesIO(opened.body)) as picture:
            assert picture.size[0] > 40
        for page in ("/dashboard/blocks/hero", "/dashboard"):
            headers = {"authorization": f"Bearer {self.wetink.dashboard_token}", "accept": "text/html"}
            assert (await ask(self.app, "GET", page, b"", headers)).status < 500
        assert self.wetink.health.failing() == {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("kept"))
    made.run(made.wetink.__aenter__())
    yield made
    made.run(made.wetink.close())
    made.runner.close()


@pytest.mark.parametrize("place", PLACES)
def test_an_odd_value_is_refused_with_its_file_or_kept_and_served(server: Server, place: str) -> None:
    async def story() -> None:
        for name, value in VALUES.items():
            status, said = await server.push(PLACES[place](value))
            assert status in (200, 422), (name, status, said)
            if status == 422:
                assert said["problems"], name
                assert all(len(each) < 2_000 for each in said["problems"]), name
                assert said["problems"][0].startswith(FILES), (name, said)
            else:
                assert name not in ALWAYS_REFUSED, (name, said)
                await server.serves()

    server.run(story())


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ 'a' | nothing_like_it }}", "nothing_like_it"),
        ("{% if %}", ""),
        ("{% for x in (1..100000000) %}{{ x }}{% endfor %}", ""),
        ("{% unknown %}", "unknown"),
    ],
)
def test_a_template_that_cannot_be_drawn_is_refused_with_its_block_and_variant(
    server: Server, template: str, why: str
) -> None:
    files = {**block(), "templates/card.liquid": template}
    status, said = server.run(server.push(files))
    assert status == 422, said
    assert "block hero: variants[0] (card): it cannot be rendered: " in said["problems"][0]
    assert why in said["problems"][0]


def test_a_template_with_a_nul_and_one_that_is_no_utf8_are_refused_with_their_file(server: Server) -> None:
    for body in (b"<p>\n\0</p>", b"\xff\xfe\0", b"\xed\xa0\x80"):
        status, said = server.run(server.push({**block(), "templates/card.liquid": body}))
        assert status == 422
        assert said["problems"][0].startswith("templates/card.liquid: ")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (rb'{"files": {}, "by": "\ud800"}', "byte 21"),
        (rb'{"files": {}, "message": "a\udc00"}', "byte 27"),
        (rb'{"files": {}, "by": "a\u0000"}', "by"),
        (rb'{"files": {}, "message": "a\u0000"}', "message"),
        (rb'{"files": {"blocks/a\u0000.yaml": ""}}', "files"),
        (rb'{"files": {}, "base": 100000000000000000000000000}', "base"),
        (rb'{"files": {}, "base": 18446744073709551616}', "base"),
        (rb'{"files": {}, "base": 1e400}', ""),
        (b'{"files": {"' + b"a" * 100_000 + b'": ""}}', ""),
        (b'{"files": ' + b"[" * 65 + b"]" * 65 + b"}", "files"),
    ],
)
def test_a_push_whose_words_cannot_be_kept_is_refused_with_the_place(server: Server, body: bytes, place: str) -> None:
    status, said = server.run(server.post(body))
    assert status == 400, said
    assert place in msgspec.json.encode(said).decode()


@pytest.mark.parametrize("place", ["a variant's name", "a setting", "an audience's value", "a scenario"])
def test_wetink_check_refuses_and_takes_the_same_values(tmp_path: Path, place: str) -> None:
    for number, (name, value) in enumerate({"fine": "fine", **VALUES}.items()):
        if name not in ("fine", "half a character", "10^26", "a recursive alias", "65 levels"):
            continue
        folder = tmp_path / f"f{number}"
        files = PLACES[place](value if place != "a setting" or name != "fine" else "3")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        answer = CliRunner().invoke(main, ["push", str(folder), "--force", "--data", str(tmp_path / "data")])
        assert answer.exit_code == (0 if name == "fine" else 1), answer.output
        assert ("! " in answer.output) is (name != "fine")


def test_wetink_check_draws_the_content_it_takes(tmp_path: Path) -> None:
    for path, text in {**block(), "templates/card.liquid": "{{ 1 | no_filter }}"}.items():
        (tmp_path / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / path).write_text(text)
    said = ["push", str(tmp_path / "folder"), "--force", "--data", str(tmp_path / "data")]
    answer = CliRunner().invoke(main, said)
    assert answer.exit_code == 1
    assert "variants[0] (card): it cannot be rendered" in answer.output
