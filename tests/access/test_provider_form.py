"""The form of an identity provider: what is read, and what is said at which field."""

import pytest

from wetink.core.access.provider_form import groups_text, read_provider
from wetink.core.access.single_sign_on import Provider

GOOD = {"title": "Okta", "issuer": "https://shop.okta.example", "client": "c", "secret": "s", "role": "viewer"}
KNOWN = Provider("okta", "Okta", "https://shop.okta.example", "c", "kept")


def wrong(**given: str) -> dict[str, str]:
    made, problems = read_provider({**GOOD, **given}, None, ["google"], ["10.0.0.7:8080", "idp.local:80"])
    assert (made is None) is bool(problems)
    return problems


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " Our   Okta "),
        ("issuer", "https://accounts.google.com"),
        ("issuer", "https://shop.auth0.example/"),
        ("issuer", "https://id.shop.example:8443/realms/shop"),
        ("issuer", "http://10.0.0.7:8080/realms/shop"),
        ("issuer", "http://idp.local"),
        ("issuer", "https://login.microsoftonline.com/0f1e2d3c/v2.0"),
        ("domains", "@shop.example, Shop.Example; other.example\nxn--bcher-kva.example"),
        ("groups", "marketing = editor\n\n a=b = Viewer \n"),
        ("role", "developer"),
        ("claim", ""),
    ],
)
def test_a_good_value_is_taken(field: str, value: str) -> None:
    assert wrong(**{field: value}) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "…"),
        ("title", "Google"),
        ("title", "x" * 41),
        ("title", "Ok\u202eta"),
        ("issuer", ""),
        ("issuer", "shop.okta.example"),
        ("issuer", "http://shop.okta.example"),
        ("issuer", "http://10.0.0.7:8081"),
        ("issuer", "https://me@shop.okta.example"),
        ("issuer", "https://shop.okta.example?x=1"),
        ("issuer", "https://shop.okta.example#x"),
        ("issuer", "https://[::1"),
        ("issuer", "https://x:99999"),
        ("issuer", "file:///etc/passwd"),
        ("issuer", "https://shöp.example"),
        ("issuer", "https://login.microsoftonline.com/common/v2.0"),
        ("issuer", "https://login.microsoftonline.com/organizations/v2.0"),
        ("issuer", "https://YOUR-COMPANY.okta.com"),
        ("client", " "),
        ("client", "x" * 301),
        ("secret", ""),
        ("domains", "shop"),
        ("domains", "*.example"),
        ("domains", "gmail.com"),
        ("domains", "shop.example evil@shop.example"),
        ("domains", " ".join(f"d{number}.example" for number in range(51))),
        ("groups", "marketing"),
        ("groups", "= editor"),
        ("groups", "marketing = king"),
        ("groups", "\n".join(f"g{number} = viewer" for number in range(101))),
        ("role", "owner"),
        ("role", ""),
    ],
)
def test_a_wrong_value_is_told_at_its_field(field: str, value: str) -> None:
    assert [*wrong(**{field: value})] == [field]


def test_an_empty_secret_keeps_that_of_a_provider_and_its_name_stays() -> None:
    given = {**GOOD, "title": "Our Okta", "secret": "", "groups": "mail = editor\nmail = viewer\nit = owner"}
    made, problems = read_provider(given, KNOWN, ["okta"], [])
    assert made is not None
    assert (made.name, made.title, made.secret, problems) == ("okta", "Our Okta", "kept", {})
    assert groups_text(made) == "mail = viewer\nit = owner"
