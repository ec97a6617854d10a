"""What tests of scheduled feeds share."""

from collections.abc import Iterator

import pytest

from tests.feeds.outside import Clock, Outside, outside


@pytest.fixture
def there() -> Iterator[Outside]:
    with outside() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()
