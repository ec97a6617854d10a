"""Policy: what a page of ours may load and run, for the browser to enforce."""


def content_policy(nonce: str = "") -> str:
    """Return the content security policy of a page. Styles that a script of ours makes must carry the `nonce`."""
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'self'; img-src 'self' data:; style-src {styles}; script-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
