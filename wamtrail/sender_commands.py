"""`wamtrail sender`: hold sending, release it, and see how it stands."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from store.numbers import Standing
    from store.queue import Queue

app = typer.Typer(help="Hold and release sending, and see how it stands.", no_args_is_help=True)

_NUMBER = typer.Option(None, "--number", help="One PHONE_NUMBER_ID; without it all sending.")


@app.command()
def pause(
    number: str | None = _NUMBER,
    reason: str = typer.Option("held by a person", help="Why; shown to everybody whose message waits."),
) -> None:
    """Hold sending until `sender resume`: nothing leaves, what is queued stays queued."""
    from store import numbers
    from wamtrail.opening import clock, opened

    name = _checked(number)
    if not reason.strip() or not reason.isprintable():
        fail("--reason takes one line of text; say why sending is held.", code=2)
    with opened(load()) as database, database.write() as tx:
        news = numbers.pause(tx, name, reason.strip(), clock())
    print(f"{_whose(name)} held until `wamtrail sender resume`{'' if news else '; it was held before'}.")


@app.command()
def resume(number: str | None = _NUMBER) -> None:
    """Release what is held, whoever or whatever held it. Numbers held by themselves stay held."""
    from store import numbers
    from wamtrail.opening import clock, opened

    name = _checked(number)
    with opened(load()) as database, database.write() as tx:
        done = numbers.resume(tx, name)
        others = [one for one in numbers.every(tx) if one.paused(clock())]
    print(f"{_whose(name)} released." if done else f"Nothing to release: {_whose(name).lower()} not held.")
    for one in others:
        again = f" --number {one.phone_number_id}" if one.phone_number_id else ""
        print(f"Still held: {_name(one)} ({one.paused_reason}); `wamtrail sender resume{again}` releases it.")


@app.command()
def rate(
    number: str = typer.Option(..., "--number", help="The sending PHONE_NUMBER_ID."),
    per_second: float | None = typer.Option(
        None, help="Messages a second that Meta lets it send; without it the default, 80, again."
    ),
) -> None:
    """Set how fast a number may send: 20 beside the Business app, 1,000 after Meta's upgrade."""
    from store import numbers
    from wamtrail.opening import opened

    name = _checked(number)
    if per_second is not None and not 0.001 <= per_second <= 10_000:
        fail("--per-second takes a number from 0.001 to 10000.", code=2)
    with opened(load()) as database, database.write() as tx:
        numbers.set_rate(tx, name, per_second)
    print(f"Sending number {name}: {per_second:g} a second." if per_second else f"{name}: the default again.")


@app.command()
def show(as_json: bool = typer.Option(False, "--json", help="The same as JSON.")) -> None:
    """Pace, held numbers with reason and end, the queue, and sends whose outcome is not known."""
    from store import numbers
    from store.queue import queue
    from wamtrail.opening import clock, opened

    with opened(load()) as database, database.read() as tx:
        now = clock()
        found, standing = queue(tx, now), numbers.every(tx)
    if as_json:
        print(json.dumps(_as_json(found, standing, now), indent=2, ensure_ascii=False))
        return
    for line in _lines(found, standing, now):
        print(line)


def _lines(found: "Queue", standing: list["Standing"], now: float) -> list[str]:
    from store.queue import MOST
    from store.rates import PACE, Limits

    def count(number: int) -> str:
        return f"{number:,}" + (" or more" if number >= MOST else "")

    waits = max(now - found.oldest_due_at, 0) if found.oldest_due_at is not None else 0.0
    limits = Limits()
    lines = [
        f"queued      {count(found.waiting)}" + (f", the oldest due for {waits:,.0f} s" if waits else ""),
        f"sending     {count(found.sending)}",
        f"unknown     {count(found.unknown)}"
        + ("; settled by a status, or with `wamtrail message settle`" if found.unknown else ""),
        f"sent twice  {count(found.sent_twice)}" + (" and must be 0: report it" if found.sent_twice else ""),
        f"pace        {PACE:.0%} of {limits.rate:g} a second and number, unless a number has its own;"
        f" one recipient: {limits.pair_burst} at once, then one every {limits.pair_seconds:g} s",
    ]
    lines += [f"rate        {_name(one)}: {one.rate:g} a second" for one in standing if one.rate]
    held = [one for one in standing if one.paused_until is not None]
    lines += [f"held        {_name(one)} {_until(one, now)}: {one.paused_reason}" for one in held]
    return lines if held else [*lines, "held        nothing"]


def _until(one: "Standing", now: float) -> str:
    from store.numbers import FOREVER

    assert one.paused_until is not None
    if one.paused_until >= FOREVER:
        return "until `wamtrail sender resume`"
    if one.on_trial(now):
        return "until the next message goes well"
    return f"until {_time(one.paused_until)}, then one message is tried"


def _as_json(found: "Queue", standing: list["Standing"], now: float) -> dict[str, Any]:
    from store.numbers import FOREVER
    from store.rates import PACE, Limits

    due = found.oldest_due_at
    return {
        "queued": found.waiting,
        "oldest_due_at": _time(due) if due is not None else None,
        "sending": found.sending,
        "unknown": found.unknown,
        "sent_twice": found.sent_twice,
        "pace": PACE,
        "default_rate": Limits().rate,
        "numbers": [
            {
                "phone_number_id": one.phone_number_id or None,
                "rate": one.rate,
                "held": one.paused_until is not None,
                "reason": one.paused_reason,
                "until": _time(one.paused_until)
                if one.paused_until is not None and one.paused_until < FOREVER
                else None,
                "on_trial": one.on_trial(now),
            }
            for one in standing
        ],
    }


def _checked(number: str | None) -> str:
    """The number's name in the store; '' is the account."""
    from sender.prepare import number_problems
    from store.numbers import ACCOUNT

    if number is None:
        return ACCOUNT
    for one in number_problems(number):
        fail(one.message.replace("phone_number_id", "--number", 1), code=2)
    return number


def _whose(name: str) -> str:
    return f"Sending from {name} is" if name else "All sending is"


def _name(one: "Standing") -> str:
    return one.phone_number_id or "all sending"


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
