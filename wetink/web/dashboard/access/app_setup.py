"""App setup: the facts that an authenticator app needs, as a QR code and as text."""

from typing import Any
from urllib.parse import urlsplit

import segno
from starlette.requests import Request

from wetink.access.second_factors import Setup
from wetink.core.access import one_time_code
from wetink.core.access.account import Account
from wetink.web.dashboard.page.query import wetink_of


def setup_facts(request: Request, account: Account, setup: Setup) -> dict[str, Any]:
    """Return the QR code of a new app as the address of an image, and its secret to be typed.

    The image is part of the page, so that the secret is in no address and in no log.
    """
    place = urlsplit(wetink_of(request).settings.address).hostname or ""
    code = segno.make(one_time_code.uri_of(setup.secret, account.email, place), error="m", micro=False)
    picture = code.svg_data_uri(scale=4, border=3, dark="#111318", light="#fff", omitsize=False)
    return {"qr": picture, "typed": one_time_code.spelled(setup.secret.secret), "setup": setup.id}
