"""Check: whether a block means something. Collects everything that is wrong, each with its place."""

from collections.abc import Collection, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from wetink.core.aliases import canonical
from wetink.core.app import App
from wetink.core.block import Block, Condition, Variant
from wetink.core.decide import settled
from wetink.core.errors import BadContent
from wetink.core.link import host_of
from wetink.core.span import parse


def problems_of(
    block: Block, apps: Mapping[str, App], templates: Collection[str], images: Collection[str]
) -> list[str]:
    """Return what is wrong with a block, in words; empty when it can be used."""
    found = []
    if not host_of(block.fallback.link):
        found.append(f"fallback.link: {block.fallback.link!r} is no http(s) address")
    if block.fallback.image and block.fallback.image not in images:
        found.append(f"fallback.image: there is no picture {block.fallback.image} in images/")
    if block.gone and not host_of(block.gone):
        found.append(f"gone: {block.gone!r} is no http(s) address")
    names = [variant.name for variant in block.variants]
    for index, variant in enumerate(block.variants):
        place = f"variants[{index}]"
        if not variant.name:
            found.append(f"{place}.name: a variant needs a name")
        if names.count(variant.name) > 1:
            found.append(f"{place}.name: there are several variants called {variant.name}")
        found += [f"{place}.{each}" for each in _wrong_with(variant, apps, templates)]
    return found


def missing_feeds(block: Block, apps: Mapping[str, App], feeds: Collection[str]) -> Iterator[str]:
    """Yield each feed that a variant draws on and that is not there."""
    for index, variant in enumerate(block.variants):
        app = apps.get(variant.app)
        if app is None or app.feeds is None:
            continue
        settings, _ = settled(app, variant)
        for name in app.feeds(settings) if settings is not None else ():
            if name not in feeds:
                yield f"variants[{index}].settings: there is no feed {name} in feeds/"


def checked(block: Block) -> Block:
    """Return the block with every event under its canonical name."""
    return replace(block, variants=tuple(_canonical(variant) for variant in block.variants))


def _wrong_with(variant: Variant, apps: Mapping[str, App], templates: Collection[str]) -> Iterator[str]:
    app = apps.get(variant.app)
    if app is None:
        yield f"app: there is no app called {variant.app!r}; there are {', '.join(sorted(apps))}"
    else:
        try:
            msgspec.convert(variant.settings, app.settings)
        except msgspec.ValidationError as error:
            yield f"settings: {error}"
        if not app.template and not variant.template:
            yield "template: this app needs one, from templates/"
    if variant.template and variant.template not in templates:
        yield f"template: there is no {variant.template} in templates/"
    if variant.link and not host_of(variant.link):
        yield f"link: {variant.link!r} is no http(s) address"
    for index, condition in enumerate(variant.when):
        for each in _wrong_with_condition(condition):
            yield f"when[{index}]{each}"


def _wrong_with_condition(condition: Condition) -> Iterator[str]:
    asked = [bool(condition.done), bool(condition.not_done), bool(condition.trait)]
    if sum(asked) != 1:
        yield ": say exactly one of done, not_done and trait"
        return
    if condition.within:
        try:
            parse(condition.within)
        except BadContent as error:
            yield f".within: {error}; {error.hint}"
    if condition.at_least < 1:
        yield ".at_least: at least 1"
    says = [condition.equals is not msgspec.UNSET, bool(condition.one_of), condition.exists is not None]
    if condition.trait and sum(says) != 1:
        yield ": a trait needs exactly one of equals, one_of and exists"
    if not condition.trait and any(says):
        yield ": equals, one_of and exists belong to a trait"
    if condition.trait and condition.within:
        yield ".within: a trait has no window"


def _canonical(variant: Variant) -> Variant:
    when = tuple(
        replace(
            condition,
            done=canonical(condition.done) or condition.done,
            not_done=canonical(condition.not_done) or condition.not_done,
        )
        for condition in variant.when
    )
    return replace(variant, when=when)
