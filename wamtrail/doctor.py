"""`wamtrail doctor`: is this installation healthy, and does the way from the internet to its door work?"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from wamtrail.opening import known_endpoint
from wamtrail.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    import httpx

PROBE_SIZES = (1_000, 3_000_000)  # bytes; Meta's largest body is 3 MB


@dataclass(frozen=True, slots=True)
class Finding:
    """`good` None is a hint that breaks nothing."""

    good: bool | None
    sentence: str


def doctor(
    url: str | None = typer.Option(
        None, help="The callback address as Meta calls it: https://…/webhooks/whatsapp"
    ),
) -> None:
    """Look at settings, database and waiting work; with --url try the way in. Exit 1 if anything is bad."""
    findings: list[Finding] = []
    for finding in _examine(load(), url):
        mark = {True: "ok  ", False: "BAD ", None: "note"}[finding.good]
        print(f"{mark}  {finding.sentence}")
        findings.append(finding)
    if any(finding.good is False for finding in findings):
        raise typer.Exit(1)


def _examine(settings: Settings, url: str | None) -> Iterator[Finding]:
    yield from _settings(settings)
    yield from _database(settings)
    if url is not None:
        yield from _way_in(settings, url.rstrip("/"))


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding(
        bool(settings.app_secrets) or None, _given("WAMTRAIL_APP_SECRETS", bool(settings.app_secrets))
    )
    yield Finding(
        bool(settings.verify_tokens) or None, _given("WAMTRAIL_VERIFY_TOKENS", bool(settings.verify_tokens))
    )
    yield Finding(bool(settings.secret_key) or None, _given("WAMTRAIL_SECRET_KEY", bool(settings.secret_key)))
    try:
        settings.require_wrapper()
    except SettingsError as problem:
        yield Finding(None, str(problem))


def _given(name: str, given: bool) -> str:
    return f"{name} is set." if given else f"{name} is not set."


def _database(settings: Settings) -> Iterator[Finding]:
    from store import backlog, erasure_state, migrate, worries
    from store.errors import StoreError
    from wamtrail.opening import clock, opened, report_zone

    try:
        found = migrate.check(settings.database)
        yield Finding(True, found.sentence)
        with opened(settings) as database:
            _, zone_trouble = report_zone(database, settings)
            with database.read() as tx:
                depth = backlog.depth(tx)
                counted = worries.counted(tx)
                erasing = bool(erasure_state.open_ones(tx))
    except StoreError as problem:
        yield Finding(False, str(problem))
        return
    lag = 0.0 if depth.oldest_received_at is None else clock() - depth.oldest_received_at
    waits = f"{depth.waiting:,} kept webhooks wait to be processed, the oldest for {lag:.0f} s"
    if lag > 60:
        yield Finding(False, f"{waits}; is a processor running?")
    else:
        yield Finding(True, f"{waits}.")
    yield Finding(counted.sent_twice == 0, f"{counted.sent_twice} messages were sent twice.")
    yield Finding(counted.unknown == 0 or None, f"{counted.unknown} sends are unknown.")
    if zone_trouble is not None:
        yield Finding(False, zone_trouble)
    if erasing:
        yield Finding(None, "An erasure has not ended: run `wamtrail erase` for the same person again.")
    yield Finding(counted.quarantine == 0 or None, f"{counted.quarantine} parts are in quarantine.")


def _way_in(settings: Settings, url: str) -> Iterator[Finding]:
    import httpx

    endpoint = known_endpoint(settings, url.partition("/webhooks/whatsapp")[2].strip("/"))
    if not endpoint.app_secrets or not endpoint.verify_tokens:
        yield Finding(
            False, "The way in cannot be tried: this endpoint has no secret or no verify token here."
        )
        return
    with httpx.Client(timeout=30, follow_redirects=False) as client:
        try:
            yield _handshake(client, url, endpoint.verify_tokens[0])
            yield _unsigned(client, url)
            for size in PROBE_SIZES:
                yield _signed(client, url, endpoint.app_secrets[0], size)
        except httpx.ConnectError as problem:
            yield Finding(
                False, f"Nobody can be reached there ({problem}): check name, port, firewall, certificate."
            )
        except httpx.HTTPError as problem:
            yield Finding(False, f"The connection broke ({type(problem).__name__}): look at the proxy's log.")


def _handshake(client: "httpx.Client", url: str, token: str) -> Finding:
    challenge = secrets.token_hex(8)
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    answer = client.get(url, params=query)
    if answer.status_code == 200 and answer.text == challenge:
        return Finding(True, "The handshake works.")
    reasons = {
        200: "something else than Wamtrail answers there, or a proxy changes the answer.",
        301: "a redirect stands there; Meta follows none: give the final address.",
        302: "a redirect stands there; Meta follows none: give the final address.",
        308: "a redirect stands there; Meta follows none: give the final address.",
        403: "the receiver there has other verify tokens, or the proxy drops the query.",
        404: "the proxy does not pass this path on, or the endpoint's name is wrong.",
        502: "the proxy does not reach the receiver.",
    }
    said = reasons.get(answer.status_code, "look at the proxy's log.")
    return Finding(False, f"The handshake got {answer.status_code}: {said}")


def _unsigned(client: "httpx.Client", url: str) -> Finding:
    from receiver import probe

    answer = client.post(url, content=probe.body(200))
    if answer.status_code == 401:
        return Finding(True, "An unsigned body is refused.")
    return Finding(False, f"An unsigned body got {answer.status_code} where 401 belongs: is this Wamtrail?")


def _signed(client: "httpx.Client", url: str, secret: str, size: int) -> Finding:
    from receiver import probe
    from whatsapp.signature import sign

    body = probe.body(size)
    answer = client.post(url, content=body, headers={"X-Hub-Signature-256": sign(secret, body)})
    if answer.status_code == 200:
        return Finding(True, f"A signed body of {size:,} bytes was kept.")
    reasons = {
        401: "the receiver has another secret, or the proxy changes bodies or drops the signature header.",
        413: "the proxy's limit is below Meta's 3 MB; set it to 8 MB.",
        503: "the receiver cannot reach its database, or is overloaded.",
        504: "the proxy waits too shortly for the receiver.",
    }
    said = reasons.get(answer.status_code, "look at the logs of proxy and receiver.")
    return Finding(False, f"A signed body of {size:,} bytes got {answer.status_code}: {said}")
