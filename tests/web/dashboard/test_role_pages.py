"""Every page of a shop as every role: it offers what its reader may do, and nothing else."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.desk import MORE, Desk, desk, name_of, pages
from tests.web.dashboard.offered import Page, beyond
from wetink.core.access.role import ROLES, Role


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with desk(*ROLES) as found:
        yield found


NAMED = {**{name_of(path): path for path in pages()}, **MORE}


@pytest.mark.parametrize("role", ROLES)
def test_each_page_offers_its_reader_what_they_may_do_and_nothing_else(
    running: Desk, chromium: Browser, role: Role
) -> None:
    context, wrong = running.enter(chromium, 1280, who=role), []
    for name, path in NAMED.items():
        address = running.address_of(path, context)
        answer = context.request.get(running.address + address, headers={"accept": "text/html"}, max_redirects=0)
        assert answer.status < 500, address
        if "<html" in answer.text():
            page = Page(urlsplit(address).path, answer.text())
            wrong += [f"{name}: {each}" for each in (*beyond(role, page), *page.problems)]
    context.close()
    assert not wrong, "\n".join(wrong)
