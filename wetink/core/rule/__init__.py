"""Rules: what can be asked of a person at a moment. One tree, one spelling, evaluated here or over the whole store.

`tree` has the nodes, `operators` what can be asked of one value, `spelling` how people write both, `check` what cannot
mean anything, `evaluate` how a rule holds for somebody, and why. docs/rules.md is the language for those who write it.
"""
