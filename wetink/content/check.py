"""Check: whether a block means something. Collects everything that is wrong, each with its place."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from wetink.core.app.app import App
from wetink.core.app.setting import closest, problems_with
from wetink.core.blocks import experiment
from wetink.core.blocks.block import Block, Variant
from wetink.core.blocks.decide import settled
from wetink.core.rules.check import problems_of as wrong_with_rule
from wetink.core.rules.tree import Rule
from wetink.core.text.link import host_of

LONGEST_NAME = 200
"""Characters of a variant's name, which stands in every count of it."""


def problems_of(
    block: Block,
    apps: Mapping[str, App],
    templates: Collection[str],
    images: Collection[str],
    audiences: Mapping[str, Rule] | None = None,
) -> list[str]:
    """Return what is wrong with a block, in words; empty when it can be used.

    Without `audiences` those that its rules name are not looked for.
    """
    found = []
    if not host_of(block.fallback.link):
        found.append(f"fallback.link: {block.fallback.link!r} is not an http(s) URL")
    if block.fallback.image and block.fallback.image not in images:
        found.append(f"fallback.image: there is no picture {block.fallback.image} in images/")
    if block.gone and not host_of(block.gone):
        found.append(f"gone: {block.gone!r} is not an http(s) URL")
    names = [variant.name for variant in block.variants]
    for index, variant in enumerate(block.variants):
        place = f"variants[{index}]"
        if not variant.name:
            found.append(f"{place}.name: a variant needs a name")
        if len(variant.name) > LONGEST_NAME:
            found.append(f"{place}.name: more than {LONGEST_NAME} characters")
        if names.count(variant.name) > 1:
            found.append(f"{place}.name: there are several variants called {variant.name}")
        found += [f"{place}.{each}" for each in _wrong_with(variant, apps, templates, audiences)]
    if block.experiment is not None:
        found += experiment.problems_of(block.experiment, tuple(names))
    if block.control and block.control not in names:
        found.append(f"control: there is no variant called {block.control}")
    return found


def unusable(
    block: Block,
    apps: Mapping[str, App],
    templates: Collection[str],
    images: Collection[str],
    feeds: Collection[str],
    audiences: Mapping[str, Rule],
    others: Iterable[Block],
) -> list[str]:
    """Return what keeps a block from being served beside the `others`, in words; empty when nothing does."""
    return [
        *problems_of(block, apps, templates, images, audiences),
        *missing_feeds(block, apps, feeds),
        *same_experiment(block, others),
    ]


def never_works(block: Block, apps: Mapping[str, App]) -> Iterator[str]:
    """Yield each setting that its app can read but that does nothing, such as a time zone that does not exist.

    A block that has one is used as before, but nothing new is saved with one.
    """
    for index, variant in enumerate(block.variants):
        app = apps.get(variant.app)
        for wrong in problems_with(app, variant.settings) if app is not None else ():
            if wrong.fits:
                yield f"variants[{index}].settings.{wrong}"


def missing_feeds(block: Block, apps: Mapping[str, App], feeds: Collection[str]) -> Iterator[str]:
    """Yield each feed that a variant draws on and that is not there."""
    for index, variant in enumerate(block.variants):
        app = apps.get(variant.app)
        if app is None or app.feeds is None:
            continue
        settings, _ = settled(app, variant)
        for name in app.feeds(settings) if settings is not None else ():
            if name not in feeds:
                yield f"variants[{index}].settings: there is no feed {name} in feeds/{closest(name, sorted(feeds))}"


def same_experiment(block: Block, others: Iterable[Block]) -> Iterator[str]:
    """Yield the block that has an experiment of the same name already; that of all blocks has a name of its own."""
    if block.experiment is None:
        return
    name = block.experiment.name or block.name
    if name == experiment.EVERYWHERE:
        yield f"experiment.name: {name!r} is the holdout of signals.yaml; choose another name"
    for other in others:
        if other.experiment is not None and (other.experiment.name or other.name) == name:
            yield f"experiment.name: there is an experiment called {name} already, in block {other.name}"


def _wrong_with(
    variant: Variant, apps: Mapping[str, App], templates: Collection[str], audiences: Mapping[str, Rule] | None
) -> Iterator[str]:
    app = apps.get(variant.app)
    if app is None:
        yield f"app: there is no app called {variant.app!r}; there are {', '.join(sorted(apps))}"
    else:
        yield from (f"settings.{wrong}" for wrong in problems_with(app, variant.settings) if not wrong.fits)
        if not app.template and not variant.template:
            yield "template: this app needs one, from templates/"
    if variant.template and variant.template not in templates:
        yield f"template: there is no {variant.template} in templates/"
    if variant.link and not host_of(variant.link):
        yield f"link: {variant.link!r} is not an http(s) URL"
    for index, rule in enumerate(variant.when):
        yield from wrong_with_rule(rule, f"when[{index}]", audiences)
