"""Author: what is made on a page stands from then on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from wetink.settings import read
from wetink.wiring import Wetink

MADE = b"variants: [{name: seen, app: last-viewed}]\nfallback: {link: 'https://shop.example/'}\n"


def test_a_reload_that_began_earlier_does_not_undo_an_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        wetink = Wetink(read({}, data=tmp_path))
        await wetink.look_again()
        drawing, go = asyncio.Event(), asyncio.Event()
        prepare = wetink.fallbacks.prepare

        async def slow(*given: Any) -> Any:
            drawing.set()
            await go.wait()
            return await prepare(*given)

        (wetink.settings.content / "blocks").mkdir(exist_ok=True)
        (wetink.settings.content / "blocks" / "other.yaml").write_text("fallback: {link: 'https://shop.example/'}\n")
        monkeypatch.setattr(wetink.fallbacks, "prepare", slow)
        before = asyncio.create_task(wetink.look_again())
        await drawing.wait()
        monkeypatch.setattr(wetink.fallbacks, "prepare", prepare)
        making = asyncio.create_task(wetink.author.save("blocks/hero.yaml", MADE, by="me"))
        await asyncio.sleep(0.2)
        go.set()
        await asyncio.gather(before, making)
        assert {"hero", "other"} <= wetink.content.blocks.keys()
        await wetink.close()

    asyncio.run(story())
