"""Views are read as far as anybody asks, and are the same as if all had been read."""

from hypothesis import given
from hypothesis import strategies as st

from wetink.core.events.event import Event, Product
from wetink.core.profile.person import MOST, Views

products = st.builds(Product, sku=st.sampled_from(["", "A", "B", "C"]), product_id=st.sampled_from(["", "1", "2"]))


def viewed(*product: Product, at: int = 0, level: str = "server") -> Event:
    return Event("track", at, "m", "s", "Product Viewed", level, products=product)  # type: ignore[arg-type]


@given(st.lists(products, max_size=30), st.integers(0, 9), st.integers(0, 9))
def test_reading_some_gives_the_start_of_reading_all(seen: list[Product], some: int, index: int) -> None:
    events = [viewed(product, at=at) for at, product in enumerate(seen)]
    whole = tuple(Views.of(events))
    assert Views.of(events)[:some] == whole[:some]
    assert Views.of(events)[-2:] == whole[-2:]
    assert Views.of(events)[some:index] == whole[some:index]
    assert len(Views.of(events)) == len(whole)
    assert bool(Views.of(events)) == bool(whole)
    assert Views.of(events) == whole == tuple(Views.of(events))
    for one in range(len(whole)):
        assert not any(whole[one].product.same(other.product) for other in whole[:one])


def test_no_product_is_read_before_it_is_asked_for() -> None:
    read = []

    class Told:
        level, at = "server", 0

        def __init__(self, sku: str) -> None:
            self.sku = sku

        @property
        def products(self) -> tuple[Product, ...]:
            read.append(self.sku)
            return (Product(sku=self.sku),)

    views = Views.of([Told(sku) for sku in "ABCDE"])  # type: ignore[arg-type]
    assert read == []
    assert [seen.product.sku for seen in views[:2]] == ["E", "D"]
    assert read == ["E", "D"]


def test_the_newest_hundred_are_remembered() -> None:
    views = Views.of([viewed(Product(sku=str(number)), at=number) for number in range(MOST + 20)])
    assert (len(views), views[0].product.sku, views[-1].product.sku) == (MOST, "119", "20")


def test_views_know_whether_a_server_told_of_all_of_them() -> None:
    product = Product(sku="A")
    assert Views.of([viewed(product)]).trusted
    assert not Views.of([viewed(product), viewed(product, level="browser")]).trusted
