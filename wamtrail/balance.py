"""`wamtrail balance`: what there is to spend, and what people put into the account or correct."""

import getpass
import json
from typing import TYPE_CHECKING

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from store.ledger import Kind

app = typer.Typer(help="The account that sending spends from.", no_args_is_help=True)

_NOTE = typer.Option(..., help="Why, or what the bank calls it; kept with the entry.")
_WHO = typer.Option(None, help="Who does it; your name on this machine when left out.")
_NEGATIVE = {"ignore_unknown_options": True}  # -50 is an amount


@app.command()
def show(as_json: bool = typer.Option(False, "--json", help="Amounts as decimal text.")) -> None:
    """Balance = top-ups and corrections - charges - holds, and the newest entries."""
    from store import charges, ledger, money
    from wamtrail.opening import opened

    settings = load()
    with opened(settings) as database, database.read() as tx:
        account = ledger.peek(tx)
        entries = ledger.entries(tx, 10)
        unpriced = charges.unpriced(tx)
    if account is None:
        fail("There is no account yet; `wamtrail balance top-up AMOUNT --note TEXT` opens it.")
    amounts = {
        "balance": account.balance,
        "credited": account.credited,
        "charged": account.charged,
        "held": account.held,
    }
    if as_json:
        plain = {name: money.plain(amount) for name, amount in amounts.items()}
        print(json.dumps({**plain, "currency": account.currency, "unpriced_messages": unpriced}, indent=2))
        return
    words = (
        "balance",
        "top-ups and corrections",
        "charged for delivered messages",
        "held for messages under way",
    )
    for word, amount in zip(words, amounts.values(), strict=True):
        print(f"{word:32}{money.shown(amount, account.currency):>24}")
    if unpriced:
        print(
            f"{unpriced:,} delivered messages have no rate and count as 0; `wamtrail rates import` adds some."
        )
    if settings.budget() is None:
        print("WAMTRAIL_BALANCE is off: nothing is held, and nothing is charged until it is on.")
    for one in entries:
        said = money.shown(one.amount, account.currency)
        print(f"{_minute(one.at)}  {one.kind:10}  {said:>20}  {one.who}: {one.note}")


@app.command("top-up", context_settings=_NEGATIVE)
def top_up(
    amount: str = typer.Argument(help="In the currency's unit, such as 5000 or 99.50."),
    note: str = _NOTE,
    who: str | None = _WHO,
) -> None:
    """Write down money that was paid in."""
    if _micro(amount) <= 0:
        fail("A top-up is more than 0; to take something away use `wamtrail balance correct`.", code=2)
    _enter("top-up", amount, note, who)


@app.command(context_settings=_NEGATIVE)
def correct(
    amount: str = typer.Argument(help="To be added; with - before it, to be taken away."),
    note: str = _NOTE,
    who: str | None = _WHO,
) -> None:
    """Write down a difference to what Kaleyra or Meta say."""
    if _micro(amount) == 0:
        fail("A correction of 0 corrects nothing.", code=2)
    _enter("correction", amount, note, who)


def _enter(kind: "Kind", amount: str, note: str, who: str | None) -> None:
    from store import ledger, money
    from wamtrail.opening import clock, opened

    settings = load()
    if not note.strip():
        fail("The note is empty: say in a few words what this is.", code=2)
    with opened(settings) as database, database.write() as tx:
        account = ledger.enter(
            tx,
            kind,
            _micro(amount),
            currency=settings.currency,
            who=who or _user(),
            note=note.strip(),
            now=clock(),
        )
    print(f"The balance is {money.shown(account.balance, account.currency)}.")


def _micro(amount: str) -> int:
    from store import money

    try:
        return money.micro(amount)
    except ValueError as problem:
        fail(f"{amount} {problem}.", code=2)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "somebody"


def _minute(at: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
