"""Block files: renames and deletes blocks, with the other files that name them. Comments stay if they can."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from wetink.content.content import Content, files_in
from wetink.content.strict_yaml import parse_all, parse_yaml
from wetink.content.tree import Tree
from wetink.content.uses import block_file
from wetink.core.errors import BadContent

NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
RESERVED = frozenset(("new", "people"))
"""Names that pages have, so that no block made there gets them."""
YAML = (".yaml", ".yml")
Changes = dict[str, bytes | None]
"""New text by path; None deletes the file."""


class Dependent(msgspec.Struct, frozen=True):
    """A part of the content that names a block: its kind, its title, and what deleting the block does to it."""

    kind: str
    title: str
    effect: str


def with_fields(body: bytes, fields: Mapping[str, Any]) -> bytes:
    r"""Return a YAML file with other values at its top level; None removes one. Everything else stays as it is written.

    >>> with_fields(b"paused: true\n# sale\ntitle: A\n", {"paused": None, "archived": True})
    b'# sale\ntitle: A\narchived: true\n'
    """
    text, document = body.decode(), parse_yaml(body.decode())
    if not isinstance(document, dict):
        raise BadContent("a block must be a mapping", hint="see the tutorial for an example")
    wanted = {name: each for name, each in {**document, **fields}.items() if name not in fields or each is not None}
    for name, value in fields.items():
        text = re.sub(
            rf"^{re.escape(name)}[ \t]*:.*(?:\n(?:[ \t]+.*|-.*|[ \t]*(?=\n[ \t-])))*\n?", "", text, flags=re.M
        )
        if value is not None:
            text = f"{text.rstrip()}\n{_dumped({name: value})}" if text.strip() else _dumped({name: value})
    try:
        if parse_yaml(text) == wanted:
            return text.encode()
    except BadContent:
        pass
    return _dumped(wanted).encode()  # written on one line, or with an anchor: only its comments are lost


def renamed(tree: Tree, old: str, new: str, title: str) -> Changes:
    """Return the files of a block with another name and title. It keeps answering to the old name.

    Raises BadContent for a name that cannot be used, NotFound.
    """
    path, body = block_file(tree, old)
    document = _document(body)
    fields: dict[str, Any] = {}
    if title != document.get("title", ""):
        fields["title"] = title or None
    if new == old:
        return {path: with_fields(body, fields)} if fields else {}
    check_name(tree, new)
    aliases = [each for each in document.get("aliases") or () if each != new]
    fields["aliases"] = [*aliases, old]
    experiment = document.get("experiment")
    if isinstance(experiment, dict) and not experiment.get("name"):
        fields["experiment"] = {"name": old, **experiment}  # else people would be drawn again
    return {path: None, f"blocks/{new}.yaml": with_fields(body, fields)}


def deleted(tree: Tree, content: Content, name: str) -> Changes:
    """Return the changes that delete a block, and what scenarios expect of it. Raises NotFound."""
    path, _ = block_file(tree, name)
    block = content.blocks.get(name)
    names = {name, *(block.aliases if block is not None else ())}
    return {path: None, **{file: _without(documents, names) for file, documents in _expecting(tree, names)}}


def dependents(tree: Tree, content: Content, name: str) -> list[Dependent]:
    """Return the parts of the content that deleting a block changes."""
    block = content.blocks.get(name)
    names = {name, *(block.aliases if block is not None else ())}
    found = [
        Dependent("Scenario", str(document.get("name") or file), "loses what it expects of this block")
        for file, documents in _expecting(tree, names)
        for document in documents
        if names & (document.get("expect") or {}).keys()
    ]
    if block is not None and block.email:
        mates = [each for each in content.blocks.values() if each.email == block.email and each.name != name]
        found += [Dependent("Block", each.called, f"no longer avoids its products in the email "
                            f"{block.email}") for each in mates]  # fmt: skip
    if block is not None and block.experiment is not None:
        found.append(Dependent("Experiment", block.experiment.name or name, "ends, and its report stays"))
    return found


def check_name(tree: Tree, name: str) -> None:
    """Raise BadContent unless a new block may have this name."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise BadContent(
            f"{name[:64]!r} is not a name",
            hint="use lowercase letters, digits and dashes, such as summer-sale",
            where="name",
        )
    if any(f"blocks/{name}{suffix}" in tree for suffix in YAML):
        raise BadContent(f"there is already a block called {name}", hint="choose another name", where="name")


def _expecting(tree: Tree, names: set[str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the scenario files that expect something of these blocks, with their documents."""
    for path, body in files_in(tree, "scenarios", *YAML):
        try:
            documents = list(parse_all(body.decode()))
        except (BadContent, UnicodeDecodeError):
            continue
        known = [each for each in documents if isinstance(each, dict) and isinstance(each.get("expect"), dict)]
        if any(names & each["expect"].keys() for each in known) and len(known) == len(documents):
            yield str(path), known


def _without(documents: list[dict[str, Any]], names: set[str]) -> bytes | None:
    """Return a scenario file that expects nothing of these blocks; None if nothing is left of it."""
    left = []
    for each in documents:
        expect = {name: value for name, value in each["expect"].items() if name not in names}
        if expect:
            left.append({**each, "expect": expect})
    if not left:
        return None
    return "---\n".join(_dumped(each) for each in left).encode()


def _document(body: bytes) -> dict[str, Any]:
    document = parse_yaml(body.decode())
    return document if isinstance(document, dict) else {}


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
