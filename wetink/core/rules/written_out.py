"""Written out: how large rules are once the audiences they name stand in their place, counted without doing so.

Thirty short audiences, each of which names the one before it twice, would be a billion conditions.
"""

from collections.abc import Iterator, Mapping

from wetink.core.rules.tree import Member, Rule, nodes_of, parts_of

MOST_NODES, DEEPEST = 5_000, 100
"""Conditions of a rule that names audiences, with all of theirs, and how deep they may lie inside each other."""


class WrittenOut:
    """Counts audiences, each once. Those that name each other in a circle have no end."""

    def __init__(self, audiences: Mapping[str, Rule]) -> None:
        """Count these audiences as they are asked for."""
        self.audiences = audiences
        self._sizes: dict[str, tuple[int, int]] = {}
        self._circles: dict[str, tuple[str, ...]] = {}

    def problem_of(self, name: str) -> str:
        """Return why an audience cannot be used by a rule, empty when it can."""
        circle = self._measure(name)
        if circle:
            return f"audiences lead in a circle: {' → '.join(circle)}"
        return too_large(*self._sizes[name])

    def size_of(self, rule: Rule) -> tuple[int, int]:
        """Return how many nodes a rule has, and how deep they lie; audiences that are not there are one."""
        for name in names_of(rule):
            if name in self.audiences:
                self._measure(name)
        return self._size(rule)

    def _measure(self, start: str) -> tuple[str, ...]:
        """Count an audience after those it names; return a circle it leads into, nothing when there is none."""
        path: dict[str, None] = {}
        left: list[Iterator[str]] = [iter((start,))]
        while left:
            name = next(left[-1], None)
            if name is None:
                left.pop()
                if path:
                    done, _ = path.popitem()
                    self._sizes[done] = self._size(self.audiences[done])
            elif name in path or name in self._circles:
                whole = [*path]
                circle = self._circles.get(name) or _told(whole[whole.index(name) :])
                self._circles |= dict.fromkeys(path, circle)
                return circle
            elif name in self.audiences and name not in self._sizes:
                path[name] = None
                left.append(iter(names_of(self.audiences[name])))
        return ()

    def _size(self, rule: Rule) -> tuple[int, int]:
        if isinstance(rule, Member):
            nodes, depth = self._sizes.get(rule.name, (0, 0))
            return min(nodes + 1, MOST_NODES + 1), min(depth + 1, DEEPEST + 1)
        sizes = [self._size(part) for part in parts_of(rule)]
        return 1 + sum(nodes for nodes, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)


def _told(circle: list[str]) -> tuple[str, ...]:
    """Return a circle from its first name in the alphabet back to it, wherever it was entered."""
    first = circle.index(min(circle))
    return (*circle[first:], *circle[: first + 1])


def names_of(rule: Rule) -> tuple[str, ...]:
    """Return the audiences a rule names itself, each once."""
    return tuple(dict.fromkeys(node.name for node in nodes_of(rule) if isinstance(node, Member)))


def too_large(nodes: int, depth: int) -> str:
    """Return why a rule of this size is refused, empty when it is not."""
    if nodes > MOST_NODES:
        return f"written out, with the audiences they name, these are more than {MOST_NODES:,} conditions"
    return f"audiences lie more than {DEEPEST} deep inside each other" if depth > DEEPEST else ""
