"""Compile: a rule as SQL over the columns, as far as SQL can express it; `p` is the profile in question."""

from collections.abc import Callable, Mapping
from typing import Any

from wetink.columns.answer import (
    NO,
    PERHAPS,
    SIGNS,
    Answer,
    Values,
    as_number,
    at_most,
    born_on,
    both,
    constant,
    either,
    exact,
    neither,
    of_number,
    passes_nothing,
)
from wetink.columns.events import Ask, Matching, done, matching, of_product, tested
from wetink.columns.tables import ITEM_NUMBERS, ITEM_TEXTS, ORDER_NUMBERS, ORDER_TEXTS, ZONE
from wetink.core.blocks.decide import TRAITS
from wetink.core.events.ecommerce import product_field
from wetink.core.profile.person import Moment, Person
from wetink.core.rules import matching as windows
from wetink.core.rules import tree
from wetink.core.rules.evaluate import compiled
from wetink.core.rules.matching import place_of
from wetink.core.rules.operators import NEGATIONS, days_of
from wetink.core.rules.tree import Rule, Subject, Test, Window
from wetink.core.rules.values import bound
from wetink.core.units.duration import parse as span_of

MOST_LEAVES = 60
"""Parts of a rule in SQL: planning more takes minutes and hundreds of megabytes. wetink evaluates profiles that depend
on the others in memory."""

LOCAL = frozenset({"weekday", "hour", "day", "month", "date", "language", "currency"})
"""Fields of a moment that a person's traits may change."""


class Compiler:
    """Compiles at one moment. `draws` returns the table of the profiles' positions under a seed."""

    def __init__(
        self,
        moment: Moment,
        audiences: Mapping[str, Rule],
        *,
        traits_at: int,
        last_seen: int,
        draws: Callable[[str], str],
        fitting: Callable[[str, str, str], str],
    ) -> None:
        """Compile for columns whose traits and events are no newer than these times (Unix ms)."""
        self.ask, self._moment = Ask(moment.now, fitting), moment
        self._audiences, self._draws, self._leaves = audiences, draws, 0
        now = moment.now
        self._traits_stand = "true" if traits_at <= now else f"(p.traits_at <= {now:d})"
        self._stands = "true" if last_seen <= now else f"(p.last_seen <= {now:d})"
        self._kinds: Mapping[type, Callable[[Any], Answer]] = {
            tree.Did: self._did, tree.Sequence: self._sequence, tree.Aggregate: self._aggregate,
            tree.Trait: self._trait,
            tree.Share: self._share, tree.CartIs: self._cart, tree.ProductIs: self._product,
            tree.Lifecycle: self._lifecycle, tree.MomentIs: self._moment_is,
        }  # fmt: skip

    def rule(self, rule: Rule, inside: frozenset[str] = frozenset()) -> Answer:
        """Return the answer to a rule."""
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            return PERHAPS
        match rule:
            case tree.All(of):
                return both([self.rule(each, inside) for each in of])
            case tree.AnyOf(of):
                return either([self.rule(each, inside) for each in of])
            case tree.Not(that):
                return neither(self.rule(that, inside))
            case tree.Member(name):
                if name not in self._audiences or name in inside:
                    return NO
                return self.rule(self._audiences[name], inside | {name})
            case _:
                return self._kinds[type(rule)](rule)

    def _unless(self, stands: str, answer: Answer) -> Answer:
        """Return `answer` for profiles whose columns are still true for the moment, PERHAPS for the others."""
        if stands == "true":
            return answer
        return either([both([exact(stands), answer]), both([exact(f"(NOT {stands})"), PERHAPS])])

    def _did(self, rule: tree.Did) -> Answer:
        if rule.first_time:
            return self._first(rule)
        matches = matching(self.ask, rule.event, rule.where, rule.window)
        found = done(matches, rule.at_least)
        if rule.at_most is not None:
            found = both([found, neither(done(matches, rule.at_most + 1))])
        return neither(found) if rule.negated else found

    def _first(self, rule: tree.Did) -> Answer:
        within = done(matching(self.ask, rule.event, rule.where, rule.window), 1)
        ever = matching(self.ask, rule.event, rule.where, Window())
        fixed = not rule.window.since and not rule.window.visit
        if not fixed or ever.sure != ever.maybe:
            return at_most(within.maybe)
        if rule.window.within:
            start, end = self.ask.now - span_of(rule.window.within), self.ask.now + 1
        else:
            start, end = windows.ends(rule.window.between)
        first = f"SELECT pid FROM ({ever.sure}) GROUP BY pid HAVING min(ts) >= {start:d} AND min(ts) < {end:d}"  # noqa: S608
        return exact(f"p.pid IN ({first})")

    def _sequence(self, rule: tree.Sequence) -> Answer:
        """Follow the latest start: of all runs that end with an event, the one that began last is the best."""
        last = len(rule.steps) - 1
        steps = [
            matching(self.ask, each.event, each.where, rule.window if place == last else Window())
            for place, each in enumerate(rule.steps)
        ]
        without = matching(self.ask, rule.without.event, rule.without.where, Window()) if rule.without else None
        if any(each.sure != each.maybe for each in (*steps, *((without,) if without is not None else ()))):
            return both(at_most(done(each, 1).maybe) for each in steps)
        runs = f"SELECT pid, place, ts, place AS began, ts AS since FROM ({steps[0].maybe})"  # noqa: S608
        for step in steps[1:]:
            runs = (
                "SELECT e.pid, e.place, e.ts, r.began, r.since "  # noqa: S608
                f"FROM ({step.maybe}) AS e ASOF JOIN ({runs}) AS r ON e.pid = r.pid AND e.place > r.place"
            )
        longest = f" AND r.ts - r.since <= {span_of(rule.within):d}" if rule.within else ""
        unbroken = ""
        if without is not None:
            runs = (
                "SELECT r.pid, r.ts, r.began, r.since, c.place AS broken "  # noqa: S608
                f"FROM ({runs}) AS r ASOF LEFT JOIN ({without.maybe}) AS c ON r.pid = c.pid AND r.place > c.place"
            )
            unbroken = " AND (r.broken IS NULL OR r.broken <= r.began)"
        return exact(f"p.pid IN (SELECT r.pid FROM ({runs}) AS r WHERE true{longest}{unbroken})")  # noqa: S608

    def _aggregate(self, rule: tree.Aggregate) -> Answer:
        matches = matching(self.ask, rule.event, rule.where, rule.window)
        values = self._values(rule, matches)
        nothing: Any = {"sum": 0.0, "distinct": 0}.get(rule.figure)
        empty = passes_nothing(rule.tests, nothing, self.ask.now)
        if values is None or matches.sure != matches.maybe:
            return PERHAPS if empty else at_most(done(matches, 1).maybe)
        compared = both(_compared(rule.figure, test, self.ask.value) for test in rule.tests)
        sure = f"p.pid IN (SELECT pid FROM ({values}) GROUP BY pid HAVING {compared.sure})"  # noqa: S608
        maybe = f"p.pid IN (SELECT pid FROM ({values}) GROUP BY pid HAVING {compared.maybe})"  # noqa: S608
        if not empty:
            return Answer(sure, maybe)
        not_sure = f"p.pid IN (SELECT pid FROM ({values}) GROUP BY pid HAVING NOT {compared.sure})"  # noqa: S608
        not_maybe = f"p.pid IN (SELECT pid FROM ({values}) GROUP BY pid HAVING NOT {compared.maybe})"  # noqa: S608
        return Answer(f"(NOT {not_sure})", f"(NOT {not_maybe})")

    def _values(self, rule: tree.Aggregate, matches: Matching) -> str | None:
        """Return a query of (pid, v): a row for each value of a figure; None if SQL cannot make it."""
        room, field = place_of(rule.event, rule.property)
        number, text = ("number", "written") if rule.figure != "distinct" else ("written", "written")
        concerns_products = any(place_of(rule.event, each.name)[0] == "product" for each in rule.where)
        if room == "order" and (field in ORDER_NUMBERS or (field in ORDER_TEXTS and rule.figure == "distinct")):
            table, column = "deed", f"o_{field}"
        elif room == "product" and not concerns_products and (
            field in ITEM_NUMBERS or (field in ITEM_TEXTS and rule.figure == "distinct")
        ):  # fmt: skip
            table, column = "item", f"i_{field}"
        elif room == "property":
            table, column = "property", number if rule.figure != "distinct" else text
        elif room in ("query", "name") and rule.figure == "distinct":
            table, column = "deed", {"query": "query", "name": "title"}[room]
        else:
            return None
        path = f" AND v.path = {self.ask.value(rule.property)}" if table == "property" else ""
        empty = " AND v.real" if table == "item" else ""
        return (
            f"SELECT v.pid, v.{column} AS v FROM {table} AS v "  # noqa: S608
            f"JOIN ({matches.maybe}) AS m ON v.pid = m.pid AND v.place = m.place "
            f"WHERE v.name = {self.ask.value(rule.event)}{path}{empty} AND v.{column} IS NOT NULL"
        )

    def _trait(self, rule: tree.Trait) -> Answer:
        parts = [self._trait_test(rule.name, test) for test in rule.tests]
        return self._unless(self._traits_stand, both(parts))

    def _trait_test(self, name: str, test: Test) -> Answer:
        here = f"p.pid IN (SELECT pid FROM trait WHERE path = {self.ask.value(name)}"  # noqa: S608
        if test.operator == "anniversary":
            date = Subject(Person(), self._moment).date
            sql = f"{here} AND {born_on(days_of(test.value, date))})"
            return self._at_home(exact(sql))
        condition = self.ask.of_value("trait", name, test)
        if condition is None:
            return at_most(f"{here})")
        found = exact(f"{here} AND {condition})" if condition != "true" else f"{here})")
        turned = test.operator in NEGATIONS or (test.operator == "exists" and test.value is False)
        return neither(found) if turned else found

    def _at_home(self, same: Answer) -> Answer:
        """Return `same` for profiles without traits that change their local moment, PERHAPS for the others."""
        names = [self.ask.value(name) for traits in TRAITS.values() for name in traits] + [self.ask.value(ZONE)]
        sql = f"p.pid IN (SELECT pid FROM trait WHERE path IN ({', '.join(names)}))"  # noqa: S608
        return either([both([exact(sql), PERHAPS]), both([neither(exact(sql)), same])])

    def _share(self, rule: tree.Share) -> Answer:
        start, end = self.ask.value(rule.start), self.ask.value(rule.start + rule.percent)
        table = self._draws(rule.seed)
        return exact(f"p.pid IN (SELECT pid FROM {table} WHERE place >= {start} AND place < {end})")  # noqa: S608

    def _of_nobody(self, rule: Rule) -> Answer:
        """Return the answer for a person without events and traits."""
        return constant(compiled(rule).holds(Subject(Person(), self._moment)))

    def _cart(self, rule: tree.CartIs) -> Answer:
        numbers = (("p.cart_worth", rule.value), ("p.cart_items", rule.items))
        parts = [
            tested(tests, [of_number(column, test, self.ask.value) for test in tests], "true")
            for column, tests in numbers
            if tests
        ]
        parts += [
            exact(f"coalesce({self.ask.now:d} - p.cart_changed {SIGNS[test.operator]} {span_of(test.value):d}, false)")
            for test in rule.age
        ]
        if rule.contains:
            figure_test = of_product(self.ask, [(product_field(each.name), each) for each in rule.contains])
            lines = "p.pid IN (SELECT pid FROM line WHERE "
            parts.append(Answer(f"{lines}{figure_test.sure})", f"{lines}{figure_test.maybe})"))
        trusted = either([both([exact("p.doubtful"), PERHAPS]), both([exact("(NOT p.doubtful)"), both(parts)])])
        return self._unless(self._stands, trusted)

    def _product(self, rule: tree.ProductIs) -> Answer:
        return self._unless(self._stands, at_most("p.interests"))

    def _lifecycle(self, rule: tree.Lifecycle) -> Answer:
        now = self.ask.now
        lapsed = exact(f"(p.last_seen < {now - span_of(rule.lapsed_after):d})")
        new = exact(f"(p.first_seen >= {now - span_of(rule.new_for):d})")
        stage = {
            "lapsed": lapsed, "new": both([neither(lapsed), new]), "active": both([neither(lapsed), neither(new)])
        }[rule.stage]  # fmt: skip
        return self._unless(self._stands, stage)

    def _moment_is(self, rule: tree.MomentIs) -> Answer:
        same = self._of_nobody(rule)
        if not LOCAL & {each.name for each in rule.where}:
            return same
        return self._unless(self._traits_stand, self._at_home(same))


ROUNDING = 1e-6
"""How far two sums of the same numbers may differ, absolutely and in proportion to them."""
SUMMED = "1e290"
"""Numbers up to which SQL sums: a million of them do not overflow. wetink evaluates larger ones in memory."""


def _compared(figure: str, test: Test, value: Values) -> Answer:
    """Return the condition on a figure of the values `v`. Sums close to the compared value only may match."""
    if figure == "distinct":
        return _condition("count(DISTINCT v)", "0", test, value)
    if figure in ("maximum", "minimum"):
        return _condition("max(v)" if figure == "maximum" else "min(v)", "0", test, value)
    small = f"CASE WHEN abs(v) < {SUMMED} THEN v END"
    near = f"({ROUNDING} + 1e-9 * sum(abs({small})))"
    figure_test = _condition(f"sum({small})" if figure == "sum" else f"avg({small})", near, test, value)
    large = f"(max(abs(v)) >= {SUMMED})"
    return Answer(f"(NOT {large} AND {figure_test.sure})", f"({large} OR {figure_test.maybe})")


def _condition(figure: str, near: str, test: Test, value: Values) -> Answer:
    operator, wanted = test.operator, test.value
    if operator == "exists":
        return constant(wanted is True)
    if operator in NEGATIONS:
        return neither(_condition(figure, near, Test(NEGATIONS[operator], wanted), value))
    if operator == "one_of":
        return either(_condition(figure, near, Test("equals", each), value) for each in wanted)
    if operator == "between":
        return both(
            _condition(figure, near, Test(name, each), value)
            for name, each in zip(("at_least", "at_most"), wanted, strict=True)
        )
    number = as_number(wanted) if operator == "equals" else bound(wanted)
    if number is None:
        return NO
    limit = value(number)
    if operator == "equals":
        return exact(f"({figure} = {limit})") if near == "0" else at_most(f"(abs({figure} - {limit}) <= {near})")
    if near == "0":
        return exact(f"({figure} {SIGNS[operator]} {limit})")
    surely, perhaps = (f"- {near}", f"+ {near}") if operator in ("above", "at_least") else (f"+ {near}", f"- {near}")
    return Answer(f"({figure} {surely} {SIGNS[operator]} {limit})", f"({figure} {perhaps} {SIGNS[operator]} {limit})")
