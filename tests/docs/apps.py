"""The pages on apps are made of what the apps say of themselves: `python -m tests.docs.apps` writes them anew."""

import inspect
from pathlib import Path
from textwrap import fill

import yaml

from wetink.apps import load
from wetink.core.app.app import App
from wetink.core.app.setting import Field, fields_of

PLACE = Path(__file__).parents[2] / "docs" / "apps"
APPS = {name: app for name, app in load().items() if app.template}


def page_of(app: App) -> str:
    """Return the page of one app."""
    module = inspect.getmodule(app.show)
    said = (inspect.getdoc(module) or "").partition(": ")[2]
    variant = {"name": app.name, "app": app.name, **({"settings": app.sample.settings} if app.sample.settings else {})}
    block = {
        **({"moving": True} if app.moves else {}),
        "variants": [variant],
        "fallback": {"link": "https://shop.example/", "title": "New every week"},
    }
    rows = "\n".join(_row(field) for field in fields_of(app) if field.name != "only.skip")
    return f"""# {app.title}

{fill(said[:1].upper() + said[1:], 120)}

![{app.title} for the sample shopper](../../tests/apps/golden/{app.name}-light.png)

{fill((inspect.getdoc(app.show) or "") + " If there is nothing, the block takes the next variant.", 120)}

| setting | default | description |
|---|---|---|
{rows}

Example, as `blocks/NAME.yaml` in the content folder:

```yaml
{yaml.safe_dump(block, sort_keys=False, width=100).strip()}
```
"""


def _row(field: Field) -> str:
    value = f"`{', '.join(field.value.splitlines())}`" if field.value else "none"
    choices = f" One of {', '.join(field.choices)}." if field.kind == "choice" else ""
    bounds = f" {field.least:g} to {field.most:g}." if field.least is not None and field.most is not None else ""
    return f"| `{field.name}` | {value} | {field.about}{choices}{bounds} |"


def index() -> str:
    """Return the list of them all."""
    rows = "\n".join(f"- [{app.title}]({name}.md): {app.about[0].lower()}{app.about[1:]}" for name, app in APPS.items())
    return f"""# Apps

{rows}

An app decides what a variant shows. Each one also accepts your own template (`template:` of the variant), and
`app: custom` has only that. All apps use the catalog's current price and stock, leave out products that are not
available, and never show a product twice in blocks with the same `email:`.
"""


def main() -> None:
    """Write them all."""
    PLACE.mkdir(exist_ok=True)
    (PLACE / "README.md").write_text(index())
    for name, app in APPS.items():
        (PLACE / f"{name}.md").write_text(page_of(app))


if __name__ == "__main__":
    main()
