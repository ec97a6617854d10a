"""Review: tries drafts before they are published: who will see something else, and what may go wrong.

Recent profiles are decided with the published content and with the drafts laid over it. Nothing is stored or counted,
and opens go first.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from wetink.content.changes import title_of
from wetink.content.content import Content
from wetink.content.publishing import Check, Count, Stage, Switch, Tried
from wetink.content.scenario import outcomes
from wetink.core.app.app import App
from wetink.core.app.setting import fields_of
from wetink.core.blocks.block import Block, Decision, closed
from wetink.core.blocks.coverage import Coverage, Seen, coverage
from wetink.core.blocks.schedule import bounds, spoken
from wetink.core.catalog.trust import shown
from wetink.core.errors import BadContent, WetinkError
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.check import names_of
from wetink.core.text.contrast import LARGE, contrast, faint, is_color
from wetink.core.text.link import host_of
from wetink.opens.audit import Rehearsal, glyph_notes, named, sample_scene
from wetink.opens.trials import Side, Trials
from wetink.ports import Profiles, Renderer

MOST, SECONDS = 1_000, 3.0
"""Profiles that are tried, and the time for all of them, in seconds."""
DRAWN_SECONDS = 4.0
"""Time for the pictures of a review, in seconds."""
MOST_WORDS = 8
PAGE_LIGHT, PAGE_DARK = "#ffffff", "#15171c"
"""The backgrounds of most templates."""
_NOWHERE = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|example\.(?:com|org|net))$")


class Reviewer:
    """Tries a stage: what is published, and what would be."""

    def __init__(
        self,
        profiles: Profiles,
        renderer: Renderer,
        rehearsal: Rehearsal,
        trials: Trials,
        allowed: Callable[[str], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        """Use the services that opens use, and `trials` for content that is not live."""
        self._profiles, self._renderer, self._rehearsal = profiles, renderer, rehearsal
        self._trials, self._allowed, self._clock = trials, allowed, clock_ms

    async def tried(self, stage: Stage) -> Tried:
        """Return the effect on people and the checks. Raises StoreUnavailable."""
        moment = Moment(self._clock())
        names = changed_blocks(stage)
        sides = [self._trials.side(content) for content in (stage.before, stage.after)]
        counts, seen = await self._counted(stage, names, sides, moment)
        blocks = [stage.after.blocks[name] for name in names if name in stage.after.blocks]
        checks = [
            await asyncio.to_thread(_usable, stage),
            await asyncio.to_thread(_rehearsed, stage, sides[1].apps),
            *await self._drawn(stage, blocks, sides[1]),
            await asyncio.to_thread(self._covered, stage, blocks, sides[1], seen),
            await asyncio.to_thread(self._characters, stage),
            _links(blocks, self._allowed),
            await asyncio.to_thread(_contrast, stage, blocks, sides[1].apps),
        ]
        return counts, tuple(each for each in checks if each is not None)

    async def _counted(
        self, stage: Stage, names: Sequence[str], sides: Sequence[Side], moment: Moment
    ) -> tuple[tuple[Count, ...], dict[str, list[Seen]]]:
        """Return the effect on each block, and the decisions of the drafts by block."""
        until = time.monotonic() + SECONDS
        times = {name: _moment_of(stage.after.blocks.get(name), moment) for name in names}
        switches: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in names}
        tried: Counter[str] = Counter()
        some: dict[tuple[str, str, str], str] = {}
        seen: dict[str, list[Seen]] = {name: [] for name in names}
        for profile in await self._profiles.profiles(limit=MOST) if names else ():
            for name in names:
                was, now = [await _decided(side, name, profile.root, times[name]) for side in sides]
                tried[name] += 1
                if now is not None:
                    person = await sides[1].opens.person(profile.root, moment.now)
                    seen[name].append(Seen(now, shown(person).traits))
                    if differs(stage, sides, name, was, now):
                        pair = now.variant, was.variant if was is not None else ""
                        switches[name][pair] += 1
                        some.setdefault((name, *pair), str(profile.root))
            if time.monotonic() > until:
                break
            await asyncio.sleep(0)  # opens go first
        counts = []
        for name, found in switches.items():
            block = stage.after.blocks.get(name)
            if block is not None:
                turned = tuple(Switch(*pair, people, some[name, *pair]) for pair, people in found.items())
                note, new = _note(block, times[name], moment), name not in stage.before.blocks
                counts.append(Count(name, _title(stage, name), tried[name], turned, new, note))
        return tuple(counts), seen

    async def _drawn(self, stage: Stage, blocks: Sequence[Block], side: Side) -> list[Check | None]:
        """Draw each variant once, for the sample shopper: whether that works, and how heavy it is."""
        wrong, heavy, weights, late = list[str](), list[str](), list[str](), list[str]()
        until = time.monotonic() + DRAWN_SECONDS
        for block in blocks:
            wrong += [f"{block.called}: {each}" for each in await self._rehearsal.trial(block, stage.after, side.apps)]
            for variant in block.variants:
                app, template = side.apps.get(variant.app), side.opens.template_of(stage.after, variant)
                if app is None or not template:
                    continue
                if weights and time.monotonic() > until:
                    late.append(f"{block.called}, “{variant.name}”: not weighed in time")
                    continue
                scene = sample_scene(app, template, Moment(self._clock()), dict(variant.settings),
                                     size=(block.width, block.height))  # fmt: skip
                limit = block.kilobytes * 1000
                try:
                    picture = await self._renderer.render(replace(scene, most_bytes=limit, engine=variant.engine))
                except WetinkError:
                    continue  # the rehearsal says why
                kilobytes = len(picture.body) / 1000
                weights.append(f"{block.called}, “{variant.name}”: {kilobytes:,.0f} KB of at most "
                               f"{block.kilobytes:,} KB")  # fmt: skip
                if picture.note or len(picture.body) > limit:
                    heavy.append(f"“{variant.name}” was too heavy: {picture.note or 'over its limit'}")
        if not blocks:
            return []
        good = ("Each variant was drawn for the sample shopper.",)
        return [
            _check("drawing", "Drawing", "wrong" if wrong else "good", wrong or good),
            _check(
                "weight", "Weight", "doubt" if heavy else "good", [*heavy, *weights, *late] or ("Nothing was drawn.",)
            ),
        ]

    def _covered(
        self, stage: Stage, blocks: Sequence[Block], side: Side, seen: Mapping[str, Sequence[Seen]]
    ) -> Check | None:
        words, state = list[str](), "good"
        for block in blocks:
            found = seen.get(block.name, ())
            if not found:
                continue
            texts = {each.name: side.opens.template_of(stage.after, each) for each in block.variants}
            covered = coverage(block, found, texts, self._renderer.missing)
            lines, doubtful = _said(block, covered)
            words += lines
            state = "doubt" if doubtful else state
        if not blocks:
            return None
        return _check("coverage", "Coverage", state, words or ["Nobody is known yet, so nobody could be tried."])

    def _characters(self, stage: Stage) -> Check | None:
        old, new = (
            [*glyph_notes(of.blocks, of.templates, self._renderer.missing)] for of in (stage.before, stage.after)
        )
        words = [each for each in new if each not in old]
        return _check("characters", "Characters", "doubt" if words else "good", words or ["A font has each character."])


async def _decided(side: Side, name: str, who: Identifier, moment: Moment) -> Decision | None:
    block = side.content.blocks.get(name)
    return await side.opens.preview(side.content, block, who, moment) if block is not None else None


def changed_blocks(stage: Stage) -> list[str]:
    """Return the blocks that may show something else: their files, templates, pictures, apps or audiences changed."""
    before, after = stage.before, stage.after
    everywhere = before.signals.holdout != after.signals.holdout or before.mappings != after.mappings
    names = dict.fromkeys((*after.blocks, *before.blocks))
    return [name for name in names if everywhere or _parts(before, name) != _parts(after, name)]


def _parts(content: Content, name: str) -> tuple[object, ...] | None:
    """Return all that a block's pictures are made of; None if there is no such block."""
    block = content.blocks.get(name)
    if block is None:
        return None
    apps = [content.apps.get(each.app) for each in block.variants]
    names = [each.template or (app.template if app is not None else "")
             for each, app in zip(block.variants, apps, strict=True)]  # fmt: skip
    image = content.images.get(block.fallback.image)
    return block, apps, [content.templates.get(each) for each in names], image, _audiences(content, block)


def _audiences(content: Content, block: Block) -> dict[str, object]:
    """Return the rules of the audiences that a block's rules name, directly or not."""
    left = [name for variant in block.variants for rule in variant.when for name in names_of(rule)]
    found: dict[str, object] = {}
    while left:
        name = left.pop()
        if name not in found and name in content.audiences:
            found[name] = content.audiences[name].rule
            left += names_of(content.audiences[name].rule)
    return found


def _moment_of(block: Block | None, now: Moment) -> Moment:
    """Return the moment to try a block at: now, or when its schedule begins."""
    begins = bounds(block.schedule)[0] if block is not None and block.schedule is not None else None
    return replace(now, now=begins) if begins is not None and begins > now.now else now


def _note(block: Block, tried: Moment, now: Moment) -> str:
    """Return what to know about a count, in a sentence."""
    if (why := closed(block, tried.now)) or tried == now:
        return f"{why[:1].upper()}{why[1:]}, so everyone gets the fallback." if why else ""
    return f"Counted for its beginning: it is shown {spoken(block.schedule)}."


_LOOK = ("width", "height", "slots", "transparent", "kilobytes", "moving")


def differs(stage: Stage, sides: Sequence[Side], name: str, was: Decision | None, now: Decision) -> bool:
    """Return whether a person sees something else: other content, or the same with another look."""
    old, new = stage.before.blocks.get(name), stage.after.blocks[name]
    if was is None or old is None or not was.says(now) or was.settings != now.settings:
        return True
    if any(getattr(old, field) != getattr(new, field) for field in _LOOK):
        return True
    if not now.variant:
        image = new.fallback.image
        return old.fallback != new.fallback or stage.before.images.get(image) != stage.after.images.get(image)
    texts = [side.opens.template_of(side.content, decision) for side, decision in zip(sides, (was, now), strict=True)]
    return texts[0] != texts[1]


def _title(stage: Stage, name: str) -> str:
    block = stage.after.blocks.get(name) or stage.before.blocks.get(name)
    return (block.title if block is not None else "") or name


def _check(name: str, title: str, state: str, words: Sequence[str]) -> Check:
    more = len(words) - MOST_WORDS
    said = [*words[:MOST_WORDS], *([f"{more} more"] if more > 0 else [])]
    return Check(name, title, state, tuple(said))  # type: ignore[arg-type]


def _usable(stage: Stage) -> Check:
    """Return the new problems of the content, and parts of templates that cannot be drawn."""
    words = [each for each in stage.after.problems if each not in stage.before.problems]
    doubts = [each for each in stage.after.notes if each not in stage.before.notes]
    state = "wrong" if words else "doubt" if doubts else "good"
    return _check("content", "Settings and files", state, [*words, *doubts] or ["Each setting can be used."])


def _rehearsed(stage: Stage, apps: Mapping[str, App]) -> Check | None:
    found = list(outcomes(stage.new, stage.after, apps))
    if not found:
        return None
    words = [f"{each.scenario or each.file} ({each.block}): {line}" for each in found for line in each.wrong]
    good = f"{len(found)} {'expectation holds' if len(found) == 1 else 'expectations hold'}."
    return _check("scenarios", "Scenarios", "wrong" if words else "good", words or [good])


def _said(block: Block, found: Coverage) -> tuple[list[str], bool]:
    """Return a block's coverage in words, and whether a person should look at it."""
    title, words = block.called, list[str]()
    shares: Counter[str] = Counter()
    for group in found.groups:
        shares[group.variant] += group.people
    for variant in block.variants:
        if not shares[variant.name]:
            words.append(f"{title}: nobody of {found.people:,} would see “{variant.name}”")
    if shares[""]:
        words.append(f"{title}: {shares['']:,} of {found.people:,} would see the fallback")
    lacks = [each for each in found.lacking if not each.default]
    words += [f"{title}: {each.people:,} have no {each.value}, and the template has no default" for each in lacks]
    words += [f"{title}: no font has {named(char)} in what {people:,} would see" for char, people in found.undrawn]
    if not words:
        words.append(f"{title}: each of {found.people:,} would see a variant")
    unseen = any(not shares[each.name] for each in block.variants)
    return words, bool(lacks or found.undrawn or unseen)


def _links(blocks: Sequence[Block], allowed: Callable[[str], bool]) -> Check | None:
    if not blocks:
        return None
    words: list[str] = []
    for block in blocks:
        links = [("the fallback", block.fallback.link), ("products that are gone", block.gone)]
        links += [(f"“{each.name}”", each.link) for each in block.variants]
        for what, link in links:
            if link and (why := link_doubt(link, allowed)):
                words.append(f"{block.called}: the link of {what} {why}: {link}")
    return _check("links", "Links", "doubt" if words else "good", words or ["Each link leads to one of your hosts."])


def link_doubt(link: str, allowed: Callable[[str], bool]) -> str:
    """Return why a link may be a mistake; empty if nothing is odd.

    >>> link_doubt("https://www.example.com/", lambda url: True), link_doubt("https://shop.org/", lambda url: True)
    ('leads nowhere', '')
    """
    host = host_of(link)
    if not host or "." not in host or _NOWHERE.search(host):
        return "leads nowhere"
    if not allowed(link):
        return "leaves your shop's hosts"
    return "is not encrypted" if urlsplit(link).scheme == "http" else ""


def _contrast(stage: Stage, blocks: Sequence[Block], apps: Mapping[str, App]) -> Check | None:
    words = [*_faint_settings(blocks, apps)]
    for path, body in stage.new.items():
        if path.startswith("templates/") and path.endswith(".liquid") and stage.old.get(path) != body:
            for ink, paper, ratio in faint(body.decode("utf-8", "replace")):
                words.append(f"{title_of(path, body)}: {ink} on {paper} is hard to read ({ratio:.1f} : 1)")
    if not blocks and not words:
        return None
    return _check("contrast", "Contrast", "doubt" if words else "good", words or ["Colors stand out enough."])


def _faint_settings(blocks: Sequence[Block], apps: Mapping[str, App]) -> Iterator[str]:
    for block in blocks:
        for variant in block.variants:
            app = apps.get(variant.app)
            try:
                fields = fields_of(app, variant.settings) if app is not None else []
            except (msgspec.ValidationError, BadContent):
                continue
            for field in fields:
                if field.kind != "color" or not is_color(field.value):
                    continue
                for paper, where in ((PAGE_LIGHT, "light"), (PAGE_DARK, "dark")):
                    if (ratio := contrast(field.value, paper)) < LARGE and _chosen(variant.settings, field.name):
                        yield (f"“{variant.name}”: {field.label} {field.value} hardly stands out from a {where} "
                               f"background ({ratio:.1f} : 1)")  # fmt: skip


def _chosen(settings: Mapping[str, object], path: str) -> bool:
    """Return whether a setting differs from its default, which the app's templates are made for."""
    value: object = settings
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value is not None
