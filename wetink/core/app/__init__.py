"""App: the declaration of an app, its settings and inputs, and how products are picked for it."""
