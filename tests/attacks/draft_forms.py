"""Forms of the pages for drafts, versions and the state of a block, and what there must be before each is sent."""

import itertools

from tests.attacks.forms import Form
from wetink.ports.content import digest
from wetink.wiring import Wetink

DRAFTED, UNDONE, MANAGED = "blocks/drafted.yaml", "blocks/undone.yaml", "blocks/managed.yaml"
TEXT = b"title: T%d\nfallback: {link: 'https://shop.example/'}\n"
LAST, BEFORE = "the last version", "the version before"
"""What stands for numbers that each wetink has by itself."""
VERSIONS = ("/dashboard/versions", "/dashboard/review")
WORDS = {"path": "no draft|version|already", "how": "unknown decision", "revision": "saved|draft", "message": "message"}
TIMES = {"from": "is not a date|before", "until": "is not a date|before", "zone": "no time zone"}

count = itertools.count()


def draft_forms() -> list[Form]:
    """Return the forms of these pages."""
    managed = ("/dashboard/blocks", *VERSIONS)
    holes = {"{name}": "managed"}
    return [
        Form("POST", "/dashboard/review/publish", {"message": "why", f"draft:{DRAFTED}": "0"}, shown=VERSIONS,
             words={**WORDS, f"draft:{DRAFTED}": "revision"}),
        *(
            Form("POST", "/dashboard/review/resolve", {"path": DRAFTED, "how": how, "revision": LAST}, shown=VERSIONS,
                 words=WORDS)
            for how in ("merge", "mine", "theirs", "discard")
        ),
        Form("POST", "/dashboard/versions/{number}/undo", {"next": "/dashboard/blocks"}, holes={"{number}": LAST},
             shown=VERSIONS),
        Form("POST", "/dashboard/versions/{number}/restore", {"path": UNDONE}, holes={"{number}": BEFORE},
             shown=VERSIONS, words=WORDS),
        *(
            Form("POST", "/dashboard/blocks/{name}/manage", {"change": change, "title": "Made", **more}, holes=holes,
                 shown=managed, words={"change": "unknown change", "name": "name", "base": "changed", **TIMES})
            for change, more in (
                ("rename", {"name": "managed"}),
                ("schedule", {"from": "2026-11-27T18:00", "until": "2030-01-01T00:00", "zone": "Europe/Oslo"}),
                ("pause", {"base": ""}),
                ("archive", {}),
                ("delete", {}),
            )
        ),
    ]  # fmt: skip


async def prepared(wetink: Wetink, form: Form) -> Form:
    """Make what a form is about, and return it with the numbers of this wetink."""
    if not form.path.startswith(("/dashboard/review", "/dashboard/versions", "/dashboard/blocks")):
        return form
    if form.path.startswith("/dashboard/blocks"):
        await wetink.author.save(MANAGED, TEXT % next(count), by="me")
        return form
    there = await wetink.store.drafts.get(DRAFTED)
    published = (await wetink.versions.current())[1].get(DRAFTED)
    base = digest(published) if published is not None else ""
    revision = there.revision if there is not None else 0
    draft = await wetink.publishing.save(DRAFTED, TEXT % next(count), base=base, expected=revision, by="me")
    number = await wetink.author.save(UNDONE, TEXT % next(count), by="me")
    values = {LAST: str(number), BEFORE: str(number - 1)}
    fields = {name: str(draft.revision) if name == "revision" else value for name, value in form.fields.items()}
    return form._replace(fields=fields, holes={hole: values.get(each, each) for hole, each in form.holes.items()})
