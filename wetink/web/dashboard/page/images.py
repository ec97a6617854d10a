"""Images: the answers to an `<img>` of a page."""

from starlette.responses import Response

from wetink.ports import Picture

PHOTO_SECONDS = 300
"""How long a browser keeps a photo."""


def image(drawn: Picture, cache: str = "no-store") -> Response:
    """Return a drawn picture. `cache` is its `Cache-Control`."""
    return Response(drawn.body, media_type=drawn.content_type, headers={"cache-control": cache})


def photo_image(body: bytes | None) -> Response:
    """Return a PNG or JPEG photo; status 404 without one."""
    if body is None:
        return no_image("no photo")
    kind = "image/png" if body.startswith(b"\x89PNG") else "image/jpeg"
    return Response(body, media_type=kind, headers={"cache-control": f"private, max-age={PHOTO_SECONDS}"})


def no_image(why: str) -> Response:
    """Return why there is no picture, with status 404."""
    return Response(why, 404, media_type="text/plain")
