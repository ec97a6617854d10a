"""Rules: conditions on a person at a moment.

`tree` has the nodes and `operators` the comparisons. `parse` reads a rule and `format` writes it, `check` finds rules
that make no sense, and `evaluate` says whether a rule matches somebody, and why. `behavior` and `traits` look at the
person. docs/rules.md describes the language to those who write rules.
"""
