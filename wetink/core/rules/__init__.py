"""Rules: what can be asked of a person at a moment. One tree, one spelling, evaluated here or over the whole store.

`tree` has the nodes, `operators` what can be asked of one value. `parse` and `format` go from a spelling to the tree
and back, `check` finds what cannot mean anything, `evaluate` says whether a rule holds for somebody, and why;
`behavior`, `traits` and `context` look at the person. docs/rules.md is the language for those who write it.
"""
