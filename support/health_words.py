"""What to say of the webhooks' health: each trouble in one sentence, with what to do. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.health_figures import Silent
from store.times import spelled

if TYPE_CHECKING:
    from support.health_page import Door

MEDIAN_LIMIT = 0.25  # seconds; Meta wants half of the answers sooner
SLOW_SHARE = 0.01  # of the answers may take longer than one second
OLD_BACKLOG = 30.0  # seconds
QUIET = 900.0  # seconds without any webhook

_REFUSED = {
    "401 header_missing": "no signature: not from Meta, or a proxy in front takes the header away",
    "401 only_sha1": "only the old SHA-1 signature: a proxy in front takes X-Hub-Signature-256 away",
    "401 no_secret_fits": "no secret fits: another app's secret, or a proxy that changes the body",
    "404 no_such_endpoint": "an endpoint that does not exist or is disabled",
    "413 too_large": "more than 8 MB",
    "400 client_gone": "the other side hung up",
    "503 overloaded": "too much at once; Meta posts it again",
    "503 not_kept": "the database did not take it; Meta posts it again",
    "503 too_slow": "it came too slowly; Meta posts it again",
    "503 endpoint_unknown_now": "the endpoints could not be read from the database; Meta posts it again",
}


def refused(answer: str) -> str:
    """Why something was not answered 200."""
    return _REFUSED.get(answer, answer)


def bound(seconds: float | None, answered: int = 1) -> str:
    """A quantile out of buckets: `≤ 25 ms`."""
    if not answered:
        return "–"
    return "over 1 s" if seconds is None else f"≤ {seconds * 1000:g} ms"


def rate(a_second: float) -> str:
    """`41/s`, or by the minute when there are few."""
    if a_second >= 10:
        return f"{a_second:.0f}/s"
    if a_second >= 1:
        return f"{a_second:.1f}/s"
    return f"{a_second * 60:.0f}/min"


def share(value: float) -> str:
    return f"{value * 100:.1f} %"


def duration(seconds: float) -> str:
    return spelled(seconds) if seconds >= 10 else f"{seconds:.1f} s"


def troubles(
    door: "Door | None", silent: Sequence[Silent], last_good_at: float | None, now: float
) -> list[str]:
    """Every trouble that the figures show, the worst first."""
    told = [*_silence(silent, last_good_at, now)]
    if door is None:
        return told
    forged = sum(count for answer, count in door.refused.items() if answer.startswith("401"))
    if forged:
        told.append(
            f"{forged} webhooks of the last hour had no right signature. If they are Meta's, compare the"
            " app secret with WAMTRAIL_APP_SECRETS or the endpoint's, and see that the proxy passes body"
            " and headers unchanged (`wamtrail doctor --url …` tells)."
        )
    away = sum(count for answer, count in door.refused.items() if answer.startswith("503"))
    if away:
        told.append(
            f"{away} webhooks of the last hour were sent back with 503. Meta posts them again, nothing is"
            " lost; look at the database's disk and load."
        )
    told += _slowness(door)
    if door.backlog.oldest_received_at is not None:
        age = now - door.backlog.oldest_received_at
        if age > OLD_BACKLOG:
            told.append(
                f"The oldest kept webhook has waited {spelled(age)} to be processed. Check that a processor"
                " runs (`wamtrail run processor`); nothing is lost meanwhile, but pages are behind."
            )
    return told


def _silence(silent: Sequence[Silent], last_good_at: float | None, now: float) -> list[str]:
    if last_good_at is None:
        return [
            "No webhook has come in yet. Register this address as callback URL in Meta's app dashboard and"
            " subscribe to the field messages; `wamtrail doctor --url …` checks the way in."
        ]
    told = [
        f"{one.phone_number_id} sends, but nothing is heard of it: {one.accepted} accepted messages without"
        " any webhook after them. Check in Meta's app dashboard that its WhatsApp Business account is"
        " subscribed to this app, and that the callback URL is this one."
        for one in silent
    ]
    if not told and now - last_good_at > QUIET:
        told.append(
            f"The last good webhook came {spelled(now - last_good_at)} ago. That is all right when nothing is"
            " sent; otherwise check the callback URL in Meta's app dashboard."
        )
    return told


def _slowness(door: "Door") -> list[str]:
    answers = door.answers
    if not answers.count:
        return []
    if answers.within_250_ms < 0.5:
        return [
            "More than half of the answers took longer than 250 ms, Meta's limit for the median. Look at the"
            " database's disk (every webhook waits for one commit) and at the machine's load."
        ]
    if answers.above_1_s > SLOW_SHARE:
        return [
            f"{share(answers.above_1_s)} of the answers took longer than one second; Meta's limit is 1 %."
            " Look for pauses of the database: backups, a full disk, other heavy work on it."
        ]
    return []
