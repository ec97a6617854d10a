"""Errors: what the servers of a stream refuse, as StoreUnavailable with the remedy."""

from collections.abc import Mapping

from nats.js.errors import APIError, ServiceUnavailableError

from wetink.core.errors import StoreUnavailable

ENABLE = "add a jetstream block to the configuration of each server, and let the account use it"
CLUSTER = "let at least that many servers form a cluster, or set replicas in WETINK_LOG"
ROOM = "make room where the servers store their data, or raise their max_file_store"
REMEDIES: Mapping[int | None, str] = {
    10005: CLUSTER,  # no suitable peers for placement
    10074: CLUSTER,  # replicas > 1 not supported in non-clustered mode
    10023: ROOM,  # insufficient resources
    10028: ROOM,  # resource limits exceeded for account
    10047: ROOM,  # insufficient storage resources available
    10039: ENABLE,  # JetStream not enabled for account
    10076: ENABLE,  # JetStream not enabled
}
"""The remedy by the number that JetStream gives an error."""


def is_refusal(error: BaseException) -> bool:
    """Return whether servers refuse the user or the password of the address."""
    return "authorization" in str(error).lower()


def unavailable(doing: str, error: BaseException) -> StoreUnavailable:
    """Return the error of an operation that failed, for operators to read."""
    if isinstance(error, APIError) and error.description:
        hint = REMEDIES.get(error.err_code, "see the servers' logs")
        return StoreUnavailable(f"{doing}: the stream says: {error.description} ({error.err_code})", hint=hint)
    if isinstance(error, ServiceUnavailableError):  # nobody listens to its API
        return StoreUnavailable(f"{doing}: the servers answer, but JetStream does not", hint=f"if this lasts, {ENABLE}")
    if is_refusal(error):
        hint = "check the user and the password in WETINK_LOG"
        return StoreUnavailable(f"{doing}: the servers of the stream refuse the user or the password", hint=hint)
    hint = "check that its servers run and that WETINK_LOG names them"
    return StoreUnavailable(f"{doing}: the stream cannot be reached: {str(error) or type(error).__name__}", hint=hint)
