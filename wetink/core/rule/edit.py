"""Edit: what the buttons of a rule's form do to its draft: `add PATH`, `remove PATH` and `group PATH`."""

from typing import Any

from wetink.core.rule.draft import NEW, Draft

BLANKS: dict[str, Draft] = {
    "of": NEW,
    "steps": {"event": ""},
    "where": {"name": "", "operator": "equals", "value": ""},
    "contains": {"name": "", "operator": "equals", "value": ""},
    "tests": {"operator": "equals", "value": ""},
}
"""Name of a list -> what a new item of it is."""

MOST = 500
"""Items of the longest list."""


def edited(draft: Draft, action: str) -> Draft:
    """Return the draft after a button was pressed; unchanged for a path that leads nowhere.

    >>> edited({"kind": "all", "of": []}, "add of")
    {'kind': 'all', 'of': [{'kind': 'done', 'event': ''}]}
    >>> edited({"kind": "all", "of": [{"kind": "cart"}]}, "group of.0")
    {'kind': 'all', 'of': [{'kind': 'any', 'of': [{'kind': 'cart'}, {'kind': 'done', 'event': ''}]}]}
    """
    doing, _, path = action.partition(" ")
    steps = path.split(".")
    after: Any = draft
    match doing:
        case "add" if steps[-1] in BLANKS:
            after = _at(draft, steps, _add)
        case "remove" if len(steps) > 1:
            after = _at(draft, steps[:-1], lambda items, _: _without(items, steps[-1]))
        case "group" if len(steps) > 1:
            after = _at(draft, steps[:-1], lambda items, _: _grouped(items, steps[-1]))
    return after if isinstance(after, dict) else draft


def rooted(draft: Draft) -> Draft:
    """Return a draft whose root is a group, so that there is always somewhere to add to."""
    whole = _whole(draft)
    return whole if whole["kind"] in ("all", "any") else {"kind": "all", "of": [whole]}


def _whole(draft: Any) -> Draft:
    """Return a draft with all that shows it: its kind, and lists where lists belong."""
    if not isinstance(draft, dict) or not isinstance(draft.get("kind"), str):
        return dict(NEW)
    kept = {name: value for name, value in draft.items() if name not in BLANKS}
    for name in BLANKS.keys() & draft.keys():
        if isinstance(draft[name], list):
            rows = [_whole(each) for each in draft[name]] if name == "of" else draft[name]
            kept[name] = [each for each in rows if isinstance(each, dict)]
    return kept


def _at(place: Any, steps: list[str], work: Any) -> Any:
    """Return `place` with what lies along the steps worked on; the last step names a list, which may be missing."""
    step, *further = steps
    if isinstance(place, list):
        if not step.isdecimal() or len(step) > 4 or int(step) >= len(place) or not further:
            return place
        return [_at(each, further, work) if index == int(step) else each for index, each in enumerate(place)]
    if not isinstance(place, dict):
        return place
    if not further:
        items = place.get(step, [])
        return {**place, step: work(items, step)} if isinstance(items, list) else place
    return {**place, step: _at(place[step], further, work)} if step in place else place


def _add(items: list[Any], name: str) -> list[Any]:
    return [*items, dict(BLANKS[name])] if len(items) < MOST else items


def _without(items: list[Any], index: str) -> list[Any]:
    return [each for number, each in enumerate(items) if str(number) != index]


def _grouped(items: list[Any], index: str) -> list[Any]:
    return [
        {"kind": "any", "of": [each, dict(NEW)]} if str(number) == index else each for number, each in enumerate(items)
    ]
