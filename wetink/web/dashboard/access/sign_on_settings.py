"""Sign-on settings: the identity providers, and whether a password needs a second factor. For owners."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from wetink.core.access.provider_form import KINDS, groups_text, read_provider
from wetink.core.access.single_sign_on import Provider, SignInRules, without_passwords, without_provider
from wetink.core.errors import Conflict, NotFound, WetinkError
from wetink.web import session
from wetink.web.dashboard.access.sign_on import callback
from wetink.web.dashboard.page.form import form_of
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms

PATH = "/dashboard/settings/sign-on"
MOST_PROVIDERS = 10


async def providers(request: Request) -> Response:
    """Show the providers and the rules."""
    return await _page(request)


async def provider(request: Request) -> Response:
    """Show the form of a provider, or of a new one of a kind."""
    name = str(request.path_params["name"])
    rules = await wetink_of(request).sign_in_rules.read()
    found = rules.provider(name)
    if found is not None:
        return _form(request, found, _fields(found))
    if name != "new":
        raise NotFound("there is no such provider", hint="somebody may have removed it")
    title, issuer = KINDS.get(request.query_params.get("kind", "other"), ("", ""))
    return _form(request, None, {"title": title, "issuer": issuer, "role": "viewer"})


async def save(request: Request) -> Response:
    """Keep a provider, once it has answered at its issuer."""
    form = await form_of(request)
    session.check_proved(request)
    wetink = wetink_of(request)
    rules = await wetink.sign_in_rules.read()
    name = form.get("name", "")
    known = rules.provider(name)
    if name and known is None:
        raise Conflict("this provider was removed", hint="add it again")
    taken = [each.name for each in rules.providers]
    made, wrong = read_provider(form, known, [*taken, "new"], wetink.settings.private_hosts)
    if made is not None and known is None and len(rules.providers) >= MOST_PROVIDERS:
        made, wrong = None, {"title": f"There are at most {MOST_PROVIDERS} providers. Remove one first."}
    if made is not None:
        try:
            made = replace(made, issuer=await _answering(request, made))
        except WetinkError as error:
            made, wrong = None, {"issuer": error.sentence}
    if made is None:
        return _form(request, known, form, wrong)
    kept: Provider = made

    def change(before: SignInRules) -> SignInRules:
        others = tuple(each for each in before.providers if each.name != kept.name)
        return replace(before, providers=(*others, kept))

    await wetink.sign_in_rules.change(change)
    session.changed(request, "saved the identity provider", kept.title, detail=kept.issuer)
    return redirect(request, PATH, f"People can sign in with {kept.title}.")


async def remove(request: Request) -> Response:
    """Remove a provider. People keep their accounts."""
    form = await form_of(request)
    session.check_proved(request)
    name = form.get("name", "")
    await wetink_of(request).sign_in_rules.change(lambda before: without_provider(before, name))
    session.changed(request, "removed the identity provider", name)
    return redirect(request, PATH, "The provider was removed. People keep their accounts.")


async def require(request: Request) -> Response:
    """Require a second factor of everybody with a password, or no longer."""
    form = await form_of(request)
    session.check_proved(request)
    wetink, required = wetink_of(request), form.get("second_factor") == "on"
    if required and not (await wetink.factors.of(session.account(request).id)).second:
        wrong = "Set up a second factor of your own on the Security page first."
        return await _page(request, status=409, wrong={"second_factor": wrong})
    await wetink.sign_in_rules.change(lambda before: replace(before, second_factor=required))
    if required:
        for each in await wetink.store.accounts.all():
            if each.password and not (await wetink.factors.of(each.id)).second:
                await wetink.store.sessions.end_of(each.id)
    session.changed(request, "required a second factor" if required else "no longer requires a second factor")
    told = (
        "Everybody with a password needs a second factor from now on." if required else "A second factor is optional."
    )
    return redirect(request, PATH, told)


async def passwords(request: Request) -> Response:
    """Let people sign in with a password, or no longer: then everybody else is signed out."""
    form = await form_of(request)
    session.check_proved(request)
    wetink, own, wanted = wetink_of(request), session.account(request), form.get("passwords") == "on"
    links = [each.id for each in (await wetink.factors.of(own.id)).links]
    try:
        await wetink.sign_in_rules.change(
            lambda before: replace(before, passwords=True) if wanted else without_passwords(before, links)
        )
    except Conflict as error:
        return await _page(request, status=409, wrong={"passwords": error.sentence})
    if not wanted:
        current = session.current(request)
        mine = current.id if current is not None else ""
        for each in await wetink.store.accounts.all():
            await wetink.store.sessions.end_of(each.id, but=mine if each.id == own.id else "")
    session.changed(request, "turned passwords on" if wanted else "turned passwords off")
    told = "People can sign in with a password." if wanted else "Passwords no longer sign anybody in."
    return redirect(request, PATH, told)


async def reset(request: Request) -> Response:
    """Remove the second factors of somebody who has lost their device, and sign them out."""
    form = await form_of(request)
    session.check_proved(request)
    wetink = wetink_of(request)
    account = await wetink.store.accounts.get(form.get("account", ""))
    if account is None:
        raise NotFound("there is no such account", hint="somebody may have removed it; reload the page")
    await wetink.factors.reset(account.id)
    own = session.current(request)
    await wetink.store.sessions.end_of(account.id, but=own.id if own is not None else "")
    session.changed(request, "reset the second factors of", account.email)
    return redirect(
        request,
        "/dashboard/settings/team",
        f"{account.name} signs in with the password alone, and can set up a second factor again.",
    )


async def _answering(request: Request, made: Provider) -> str:
    """Return the issuer as the provider writes it, with or without a slash at the end. Raises Unavailable."""
    openid, now = await wetink_of(request).openid(), now_ms()
    try:
        await openid.discover(made.issuer, made.title, now, anew=True)
        return made.issuer
    except WetinkError:
        other = made.issuer.rstrip("/") if made.issuer.endswith("/") else f"{made.issuer}/"
        try:
            await openid.discover(other, made.title, now, anew=True)
        except WetinkError:
            pass
        else:
            return other
        raise


def _fields(provider: Provider) -> dict[str, str]:
    return {
        "name": provider.name,
        "title": provider.title,
        "issuer": provider.issuer,
        "client": provider.client,
        "domains": ", ".join(provider.domains),
        "role": provider.role,
        "claim": provider.claim,
        "groups": groups_text(provider),
    }


def _form(
    request: Request, known: Provider | None, given: Mapping[str, str], wrong: Mapping[str, str] | None = None
) -> Response:
    facts: dict[str, Any] = {
        "known": known,
        "given": {
            **dict.fromkeys(("name", "title", "issuer", "client", "domains", "role", "groups"), ""),
            "claim": "groups",
            **given,
        },
        "callback": callback(wetink_of(request)),
        "wrong": wrong or {},
    }
    return page(request, "access/sign_on_provider.html", status=400 if wrong else 200, **facts)


async def _page(request: Request, *, status: int = 200, wrong: Mapping[str, str] | None = None) -> Response:
    wetink = wetink_of(request)
    rules = await wetink.sign_in_rules.read()
    accounts = await wetink.store.accounts.all()
    lacking = [
        each
        for each in accounts
        if each.password and not each.disabled and not (await wetink.factors.of(each.id)).second
    ]
    kinds = [(kind, title or "Another provider") for kind, (title, _) in KINDS.items()]
    return page(
        request, "access/sign_on.html", status=status, rules=rules, lacking=lacking, kinds=kinds, wrong=wrong or {}
    )
