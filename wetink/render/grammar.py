"""Grammar: the mistakes of a template, each with its place, and the words of the language, from the language itself."""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from liquid.exceptions import LiquidError

from wetink.core.app.setting import closest
from wetink.ports.templates import Flaw, Inspection, Mention, Word
from wetink.render.liquid import ENVIRONMENT

MOST_FLAWS = 30
UNUSABLE = ("include", "render", "extends", "block", "snippet", "macro", "call", "import", "ifchanged")
"""Tags of the language that have no use here: a template cannot include others."""
INNER = ("#", "content", "illegal", "output", "liquid", "doc")
"""Tags that nobody writes by name."""
ABOUT = {
    "assign": "Give a value a name.",
    "break": "Leave a loop.",
    "capture": "Give a piece of text a name.",
    "case": "Choose by the value of one thing.",
    "comment": "A note that is not drawn.",
    "continue": "Go on with the next item of a loop.",
    "cycle": "Take the next of several values each time.",
    "decrement": "Print a counter and count down.",
    "echo": "Print a value, as {{ … }} does.",
    "for": "Repeat for each item of a list.",
    "if": "Draw this only if a condition holds.",
    "increment": "Print a counter and count up.",
    "raw": "Draw braces as they are.",
    "tablerow": "Repeat for each item as the cells of a table.",
    "unless": "Draw this only if a condition does not hold.",
}
"""One sentence about each tag. A tag without one is still offered."""
_PIECE = re.compile(r"\{\{-?(?P<output>.*?)-?\}\}|\{%-?\s*(?P<tag>[\w#]+)(?P<rest>.*?)-?%\}", re.DOTALL)
_SKIP = re.compile(r"\{%-?\s*(comment|raw|doc)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}|\{#.*?#\}", re.DOTALL)
_UNCLOSED = re.compile(r"expected tag (?P<end>\w+)")
_NO_TAG = re.compile(r"unexpected tag '(?P<tag>[^']*)'")


def inspected(template: str) -> Inspection:
    """Return the mistakes of a template and the values that it reads."""
    try:
        parsed = ENVIRONMENT.from_string(template)
    except LiquidError as error:
        flaws = [*_in_pieces(template)] or [_flaw(template, error)]
        return Inspection(tuple(flaws[:MOST_FLAWS]))
    except (RecursionError, MemoryError, ValueError, TypeError) as error:
        return Inspection((Flaw(0, 1, f"the template cannot be read: {error}"),))
    found = parsed.analyze(include_partials=False)
    flaws = [*_unknown_filters(found.filters), *_useless_tags(found.tags)]
    mentions = [
        Mention(tuple(_texts(each.segments)), each.span.index) for several in found.globals.values() for each in several
    ]
    return Inspection(
        tuple(sorted(flaws, key=lambda flaw: flaw.start)[:MOST_FLAWS]),
        tuple(sorted(mentions, key=lambda mention: mention.start)),
    )


def _texts(segments: Any) -> Iterator[str]:
    """Yield the names of a path up to the first that is a number or known only when it is drawn."""
    for each in segments:
        if not isinstance(each, str):
            return
        yield each


def _unknown_filters(filters: Any) -> Iterator[Flaw]:
    known = sorted(ENVIRONMENT.filters)
    for name, spans in filters.items():
        if name not in ENVIRONMENT.filters:
            for span in spans:
                message = f"there is no filter called {name}{closest(name, known)}"
                yield Flaw(span.index, span.index + len(name), message)


def _useless_tags(tags: Any) -> Iterator[Flaw]:
    for name in ("include", "render"):
        for span in tags.get(name, ()):
            yield Flaw(span.index, span.index + len(name), "a template cannot include others: copy the text into it")


def _in_pieces(template: str) -> Iterator[Flaw]:
    """Yield the mistakes inside of single outputs and tags: the language stops at the first one."""
    text = _SKIP.sub(lambda skipped: re.sub(r"[^\n]", " ", skipped[0]), template)
    for piece in _PIECE.finditer(text):
        if piece["output"] is not None:
            source, before = f"{{{{{piece['output']}}}}}", piece.start("output") - 2
        elif (alone := _alone(piece["tag"], piece["rest"])) is not None:
            source, before = alone[0], piece.start("rest") - alone[1]
        else:
            continue
        try:
            ENVIRONMENT.from_string(source)
        except LiquidError as error:
            place = _place(error)
            if place is not None and 0 <= place + before < len(template):
                start, end = place + before, place + before + max(len(_token(error)), 1)
                yield Flaw(start, min(end, piece.end()), _words(error))
            else:
                yield Flaw(piece.start(), piece.end(), _words(error))


def _alone(tag: str, rest: str) -> tuple[str, int] | None:
    """Return a tag as a template of its own, and where its rest begins there; None if it cannot stand alone."""
    if tag in ("elsif", "when"):
        start = "{% if a %}{% elsif" if tag == "elsif" else "{% case a %}{% when"
        end = "endif" if tag == "elsif" else "endcase"
        return f"{start}{rest}%}}{{% {end} %}}", len(start)
    known = ENVIRONMENT.tags.get(tag)
    if known is None or tag in INNER:
        return None
    end = getattr(known, "end", "") if getattr(known, "block", False) else ""
    start = f"{{% {tag}"
    return f"{start}{rest}%}}{f'{{% {end} %}}' if end else ''}", len(start)


def _flaw(template: str, error: LiquidError) -> Flaw:
    """Return a mistake of the whole template. One without a place is a tag that nobody closes."""
    place = _place(error)
    if place is not None and place < len(template):
        return Flaw(place, min(place + max(len(_token(error)), 1), len(template)), _words(error))
    unclosed = _unclosed(template)
    if unclosed is not None:
        return Flaw(unclosed.start(), unclosed.end(), _words(error, unclosed["tag"]))
    return Flaw(0, max(1, len(template.partition("\n")[0])), _words(error))


def _unclosed(template: str) -> re.Match[str] | None:
    """Return the innermost tag that is opened and not closed."""
    open_: list[re.Match[str]] = []
    text = _SKIP.sub(lambda skipped: re.sub(r"[^\n]", " ", skipped[0]), template)
    for piece in _PIECE.finditer(text):
        tag = piece["tag"] or ""
        if tag.startswith("end") and open_:
            open_.pop()
        elif getattr(ENVIRONMENT.tags.get(tag), "block", False):
            open_.append(piece)
    return open_[-1] if open_ else None


def _place(error: LiquidError) -> int | None:
    return error.token.start_index if error.token is not None and error.token.start_index >= 0 else None


def _token(error: LiquidError) -> str:
    value = error.token.value if error.token is not None else ""
    return value.partition("\n")[0]


def _words(error: LiquidError, tag: str = "") -> str:
    """Return a mistake in plain words."""
    said = str(error.message or type(error).__name__)
    if (found := _UNCLOSED.search(said)) is not None:
        return f"{{% {tag or found['end'].removeprefix('end')} %}} is never closed: add {{% {found['end']} %}}"
    if (found := _NO_TAG.search(said)) is not None:
        name = found["tag"]
        if name.startswith("end") or name in ("else", "elsif", "when"):
            return f"{{% {name} %}} belongs to no tag before it"
        return f"there is no tag called {name}{closest(name, [word.name for word in tags()])}"
    if "end of expression" in said or "end of file" in said or said.startswith("missing"):
        return f"something is missing here: {said}"
    return said


@cache
def filters() -> tuple[Word, ...]:
    """Return the filters of the language with their arguments, by name."""
    return tuple(Word(name, _arguments(func), _about(func)) for name, func in sorted(ENVIRONMENT.filters.items()))


@cache
def tags() -> tuple[Word, ...]:
    """Return the tags of the language, by name."""
    found = []
    for name, tag in sorted(ENVIRONMENT.tags.items()):
        if name not in (*UNUSABLE, *INNER):
            end = getattr(tag, "end", "") if getattr(tag, "block", False) else ""
            found.append(Word(name, end, ABOUT.get(name, "")))
    return tuple(found)


def _arguments(func: Any) -> str:
    try:
        given = list(inspect.signature(func).parameters.values())[1:]
    except (TypeError, ValueError):
        return ""
    shown = [each for each in given if each.name not in ("environment", "context") and each.kind != each.VAR_KEYWORD]
    return ", ".join(f"{each.name.strip('_')}{'' if each.default is each.empty else '?'}" for each in shown)


def _about(func: Any) -> str:
    """Return the first sentence of a filter's description."""
    text = inspect.getdoc(inspect.unwrap(func)) or ""
    first = re.sub(r"`|(?<!\w)_|_(?!\w)", "", " ".join(text.partition("\n\n")[0].split()))
    return first.partition(". ")[0].rstrip(".") + "." if first else ""
