"""Check: the problems of a block, and the parts of a template's CSS that wetink cannot draw, each with its place."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from wetink.core.app.app import App
from wetink.core.app.setting import closest, problems_with
from wetink.core.blocks import experiment, schedule
from wetink.core.blocks.block import Block, Variant
from wetink.core.blocks.decide import settled
from wetink.core.rules.check import problems_of as wrong_with_rule
from wetink.core.rules.tree import Rule
from wetink.core.text.link import host_of

LONGEST_NAME = 200
"""Characters of a variant's name, which is part of each of its counters."""


def problems_of(
    block: Block,
    apps: Mapping[str, App],
    templates: Collection[str],
    images: Collection[str],
    audiences: Mapping[str, Rule] | None = None,
) -> list[str]:
    """Return the problems of a block as text; empty if it can be used.

    Without `audiences`, the check does not look up the audiences that the block's rules name.
    """
    found = [*_wrong_with_block(block, images)]
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


def _wrong_with_block(block: Block, images: Collection[str]) -> Iterator[str]:
    if not host_of(block.fallback.link):
        yield f"fallback.link: {block.fallback.link!r} is not an http(s) URL"
    if block.fallback.image and block.fallback.image not in images:
        yield f"fallback.image: there is no picture {block.fallback.image} in images/"
    if block.gone and not host_of(block.gone):
        yield f"gone: {block.gone!r} is not an http(s) URL"
    if block.schedule is not None:
        yield from (f"schedule.{each}" for each in schedule.problems_of(block.schedule))
    if block.name in block.aliases or len({*block.aliases}) < len(block.aliases):
        yield "aliases: each earlier name stands there once, without the present one"


def unusable(
    block: Block,
    apps: Mapping[str, App],
    templates: Collection[str],
    images: Collection[str],
    feeds: Collection[str],
    audiences: Mapping[str, Rule],
    others: Iterable[Block],
) -> list[str]:
    """Return the problems that keep a block from being served beside the `others`, as text; empty if there are none."""
    return [
        *problems_of(block, apps, templates, images, audiences),
        *missing_feeds(block, apps, feeds),
        *same_experiment(block, others),
    ]


def never_works(block: Block, apps: Mapping[str, App]) -> Iterator[str]:
    """Yield each setting that its app can read but that has no effect, such as a time zone that does not exist.

    wetink still serves a block with such a setting, but does not save a new one.
    """
    for index, variant in enumerate(block.variants):
        app = apps.get(variant.app)
        for wrong in problems_with(app, variant.settings) if app is not None else ():
            if wrong.fits:
                yield f"variants[{index}].settings.{wrong}"


def feeds_of(block: Block, apps: Mapping[str, App]) -> set[str]:
    """Return the names of the feeds that a block's variants use."""
    used: set[str] = set()
    for variant in block.variants:
        app = apps.get(variant.app)
        if app is not None and app.feeds is not None:
            settings, _ = settled(app, variant)
            used.update(app.feeds(settings) if settings is not None else ())
    return used


def missing_feeds(block: Block, apps: Mapping[str, App], feeds: Collection[str]) -> Iterator[str]:
    """Yield a problem for each feed that a variant uses and that does not exist."""
    for index, variant in enumerate(block.variants):
        app = apps.get(variant.app)
        if app is None or app.feeds is None:
            continue
        settings, _ = settled(app, variant)
        for name in app.feeds(settings) if settings is not None else ():
            if name not in feeds:
                yield f"variants[{index}].settings: there is no feed {name} in feeds/{closest(name, sorted(feeds))}"


def same_experiment(block: Block, others: Iterable[Block]) -> Iterator[str]:
    """Yield a problem for each block whose experiment has the same name, and one for the name of the global holdout."""
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
    if variant.schedule is not None:
        yield from (f"schedule.{each}" for each in schedule.problems_of(variant.schedule))
    for index, rule in enumerate(variant.when):
        yield from wrong_with_rule(rule, f"when[{index}]", audiences)


# Measured: 53 small cases, each drawn beside a browser's picture of it.
_CSS = {
    r"\bclamp\(": "clamp() takes the whole width: use width and max-width",
    r"(?<![-\w])grid-template(?:-areas)?\s*:": "areas of a grid are not laid out: use grid-template-columns and -rows",
    r"prefers-color-scheme": "pictures know no media query for it: put .dark before a selector",
    r"box-shadow\s*:[^;}]{0,400}?\binset\b": "shadows inside of a box are not drawn: use a gradient",
    r"(?<![-\w])filter\s*:": "filters are not drawn: change the picture itself",
    r":has\(": ":has() never matches: give the element a class",
    r"<su[pb]\b": "superscript and subscript are not supported: use vertical-align in a span",
    r"writing-mode\s*:": "vertical text is not supported: rotate the box with transform: rotate()",
    r"(?<![-\w])column(?:s|-count)\s*:": "text columns are not supported: use a grid",
    r"background\s*:[^;}]{0,200}?url\([^);}]{0,400}\)[^;}]{0,200}?/": (
        "size in the shorthand is not read: use background-size"
    ),
    r"@import\b|<link\b": "nothing is fetched: put the styles into the template",
    r"@font-face\b": "nothing is fetched: put the font into the content folder's fonts/",
    r"(?<![-\w])(?:animation(?:-name)?|transition)\s*:|@keyframes\b": "animations do not run in a picture",
    r"<script\b|\son[a-z]+\s*=\s*[\"']": "scripts do not run in a picture",
    r"<(?:iframe|video|audio|form|input|button|select)\b": "this element is not supported: draw it with a div",
}
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), hint) for pattern, hint in _CSS.items()]
_RULE = re.compile(r"\{([^{}%]*-webkit-line-clamp[^{}%]*)\}|style=\"([^\"]*-webkit-line-clamp[^\"]*)\"")
_OPENING = re.compile(r"/\*|<!--|\{%-?\s{0,20}comment\s{0,20}-?%\}")
_CLOSING = {"/": re.compile(r"\*/"), "<": re.compile("-->"), "{": re.compile(r"\{%-?\s{0,20}endcomment\s{0,20}-?%\}")}
"""Where comments begin, and where each ends, by its first character."""
MOST_NOTES = 500


def _without_comments(text: str) -> str:
    """Return a text with spaces in place of its comments. One that never ends is none, as for a browser."""
    parts, at, endless = list[str](), 0, set[str]()
    for opening in _OPENING.finditer(text):
        kind = opening[0][0]
        if opening.start() < at or kind in endless:
            continue
        closing = _CLOSING[kind].search(text, opening.end())
        if closing is None:
            endless.add(kind)  # nor will a later one
            continue
        comment = text[opening.start() : closing.end()]
        parts += [text[at : opening.start()], re.sub(r"[^\n]", " ", comment)]
        at = closing.end()
    return "".join([*parts, text[at:]])


def lint(template: str) -> Iterator[str]:
    r"""Yield a note for each part that the engine cannot draw, in the order of the lines.

    >>> list(lint("<style>\n.a { width: clamp(1px, 2px, 3px) }</style>"))
    ['line 2: clamp() takes the whole width: use width and max-width']
    """
    text = _without_comments(template)
    found = [(each.start(), hint) for pattern, hint in _PATTERNS for each in pattern.finditer(text)]
    for rule in _RULE.finditer(text):
        if "text-overflow" not in rule[0]:
            found.append((rule.start(), "a clamped line ends without dots: add text-overflow: ellipsis"))
    line, at, told = 1, 0, set[tuple[int, str]]()
    for start, hint in sorted(found)[:MOST_NOTES]:
        line, at = line + text.count("\n", at, start), start
        told.add((line, hint))
    for number, hint in sorted(told):
        yield f"line {number}: {hint}"
