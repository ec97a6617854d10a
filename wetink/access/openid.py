"""OpenID: speaks OpenID Connect with identity providers: authorization code, PKCE, state and nonce, by Authlib.

The steps run in threads with a limit on their time. Errors say what an owner or the person can do about it.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry
from requests import RequestException

from wetink.access.guarded import GuardedSession
from wetink.core.access.single_sign_on import Provider, Step
from wetink.core.errors import Forbidden, Unavailable, WetinkError
from wetink.ending import seen

T = TypeVar("T")
logger = logging.getLogger(__name__)

SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"
DISCOVERED_MS = 3_600_000
"""How long a provider's description is used, in milliseconds."""
AT_ONCE = 4
"""Threads that may wait for providers at the same time."""
SECONDS = 10.0
LEEWAY_SECONDS = 120
"""How much clocks may differ."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")

CLAIM_WORDS: Mapping[str, tuple[str, str]] = {
    "aud": ("the answer is for another client", "check the client ID on the single sign-on page"),
    "azp": ("the answer is for another client", "check the client ID on the single sign-on page"),
    "iss": ("the answer is from another issuer", "check the issuer on the single sign-on page"),
    "exp": ("the answer has expired", "sign in again; if it happens again, compare the clocks of both servers"),
    "iat": ("the answer is from the future", "compare the clocks of both servers"),
    "nbf": ("the answer is from the future", "compare the clocks of both servers"),
    "nonce": ("the answer belongs to another sign-in", "sign in again"),
}


class OpenID:
    """The identity providers, as one process knows them."""

    def __init__(self, private_hosts: Collection[str] = ()) -> None:
        """Allow these `host:port` pairs although they are not public."""
        self._private = frozenset(private_hosts)
        self._known: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def begin(self, provider: Provider, callback: str, onward: str, now: int, until: int) -> tuple[str, Step]:
        """Return the address at the provider to send the browser to, and the step to keep. Raises Unavailable."""
        known = await self.discover(provider.issuer, provider.title, now)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        step = Step(provider.name, state, nonce, verifier, onward, until)
        with self._session(provider, callback) as session:
            address, _ = session.create_authorization_url(
                known["authorization_endpoint"], state=step.state, code_verifier=step.verifier, nonce=step.nonce
            )
        return str(address), step

    async def finish(self, provider: Provider, callback: str, step: Step, code: str, now: int) -> Mapping[str, Any]:
        """Return the claims of the person whom a provider sent back with `code`.

        Raises Unavailable if the provider does not answer, and Forbidden for an answer that cannot be trusted.
        """
        known = await self.discover(provider.issuer, provider.title, now)

        def work() -> Mapping[str, Any]:
            with self._session(provider, callback) as session:
                return _claims(session, provider, known, step, code, now)

        return await self._in_thread(provider.title, work)

    async def discover(self, issuer: str, title: str, now: int, *, anew: bool = False) -> Mapping[str, Any]:
        """Return how a provider describes itself. Raises Unavailable if it does not, or describes another issuer."""
        at, known = self._known.get(issuer, (0, None))
        if known is not None and not anew and 0 <= now - at < DISCOVERED_MS:
            return known

        def work() -> Mapping[str, Any]:
            with GuardedSession(self._private) as session:
                return _read(session, issuer.rstrip("/") + DISCOVERY)

        found = await self._in_thread(title, work)
        if found.get("issuer") != issuer:
            raise Unavailable(
                f"{title} calls itself {str(found.get('issuer'))[:200]}, not {issuer}",
                hint="use the issuer exactly as the provider writes it",
                where="issuer",
            )
        if not all(_is_address(found.get(each)) for each in NEEDED):
            raise Unavailable(
                f"{title} does not describe how to sign in", hint=f"check that {issuer} is an issuer", where="issuer"
            )
        self._known[issuer] = now, found
        return found

    def _session(self, provider: Provider, callback: str) -> GuardedSession:
        return GuardedSession(
            self._private,
            client_id=provider.client,
            client_secret=provider.secret,
            scope=SCOPE,
            redirect_uri=callback,
            code_challenge_method="S256",
        )

    async def _in_thread(self, title: str, work: Callable[[], T]) -> T:
        """Run `work` in a thread. What fails outside becomes Unavailable or Forbidden."""

        def guarded() -> T:
            try:
                return work()
            except WetinkError as error:
                if isinstance(error, Unavailable | Forbidden):
                    raise
                logger.warning("%s may not be asked for a sign-in: %s", title, error)
                raise Unavailable(
                    f"{title} is not at a public address: {error}",
                    hint="if it is in your own network, add its host:port to WETINK_PRIVATE_HOSTS",
                    where="issuer",
                ) from error
            except OAuthError as error:
                raise _refused(title, str(error.error or "")[:60], str(error.description or "")) from error
            except (RequestException, ValueError, OSError, RecursionError) as error:
                raise _away(title, type(error).__name__) from error

        async def alone() -> T:
            async with self._room:
                return await asyncio.to_thread(guarded)

        task = asyncio.ensure_future(alone())
        try:
            return await asyncio.wait_for(asyncio.shield(task), SECONDS)
        except TimeoutError:
            task.add_done_callback(seen)
            raise _away(title, "no answer in time") from None


def _away(title: str, why: str) -> Unavailable:
    logger.warning("%s cannot be reached for a sign-in: %s", title, why)
    return Unavailable(f"{title} does not answer", hint="try again in a minute, or sign in another way")


def _refused(title: str, code: str, why: str) -> Forbidden:
    logger.warning("%s refused a sign-in: %s", title, code)  # its sentence may name the person
    return Forbidden(
        f"{title} refused the sign-in: {(why or code)[:200]}",
        hint="try again, or ask an owner to check the single sign-on page",
    )


def _claims(
    session: GuardedSession, provider: Provider, known: Mapping[str, Any], step: Step, code: str, now: int
) -> Mapping[str, Any]:
    """Return what the ID token says, and what the provider adds to it. Blocks. Raises Forbidden, RequestException."""
    methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    token = session.fetch_token(
        known["token_endpoint"],
        code=code,
        grant_type="authorization_code",
        code_verifier=step.verifier,
        auth=session.client_auth("client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"),
    )
    if not isinstance(token.get("id_token"), str):
        raise Forbidden(f"{provider.title} sent no ID token", hint="check that the client may use OpenID Connect")
    try:
        keys = KeySet.import_key_set(cast(KeySetSerialization, _read(session, known["jwks_uri"])))
        decoded = jwt.decode(
            token["id_token"], keys, registry=JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        )
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "nonce": {"essential": True, "value": step.nonce},
        }
        params = {"nonce": step.nonce, "client_id": provider.client, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=now // 1000, leeway=LEEWAY_SECONDS)
    except ClaimError as error:
        what, hint = CLAIM_WORDS.get(str(error.claim), (f"the claim {error.claim} is wrong", "sign in again"))
        raise _doubted(provider.title, what, hint) from error
    except (JoseError, ValueError) as error:
        hint = "sign in again; if it happens again, ask an owner to check the issuer"
        raise _doubted(provider.title, "the signature of the answer is wrong", hint) from error
    if "email" in claims or not _is_address(known.get("userinfo_endpoint")) or not token.get("access_token"):
        return dict(claims)
    more = _read(session, known["userinfo_endpoint"], {"authorization": f"Bearer {token['access_token']}"})
    return {**more, **claims} if more.get("sub") == claims["sub"] else dict(claims)


def _doubted(title: str, what: str, hint: str) -> Forbidden:
    logger.warning("an answer of %s is not trusted: %s", title, what)
    return Forbidden(f"{title}: {what}", hint=hint)


def _read(session: GuardedSession, address: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Return the JSON object at an address. Blocks. Raises RequestException, ValueError."""
    answer = session.request("GET", address, withhold_token=True, headers=dict(headers or {}))
    if answer.status_code != 200:
        raise RequestException(f"status {answer.status_code}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _is_address(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        return False
