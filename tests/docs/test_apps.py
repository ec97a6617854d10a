"""Every app has a page, which says what the app says."""

import pytest

from tests.docs.apps import APPS, PLACE, index, page_of


@pytest.mark.parametrize("name", APPS)
def test_an_apps_page_says_what_the_app_says(name: str) -> None:
    """`python -m tests.docs.apps` writes the pages anew."""
    assert (PLACE / f"{name}.md").read_text() == page_of(APPS[name])


def test_the_list_of_apps_names_every_app() -> None:
    assert (PLACE / "README.md").read_text() == index()
