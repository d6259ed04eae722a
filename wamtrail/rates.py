"""`wamtrail rates`: what one message costs, by market, category and day."""

from pathlib import Path

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="Rate cards: what a message costs.", no_args_is_help=True)


@app.command("import")
def import_rates(
    file: Path = typer.Argument(
        help="CSV with the columns market, category, valid_from, rate, fee, currency.", metavar="FILE"
    ),
) -> None:
    """Add or correct rates. While any line is wrong nothing is imported; the same file changes nothing."""
    from sender import rates_file
    from store import rate_cards
    from wamtrail.opening import opened
    from whatsapp.pricing import CATEGORIES

    settings = load()
    try:
        read = rates_file.read(file.read_bytes(), settings.currency)
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}.")
    if read.problems:
        for one in read.problems:
            typer.echo(f"wamtrail: {one}", err=True)
        fail("Nothing was imported; correct the file and import it again.")
    with opened(settings) as database, database.write() as tx:
        done = rate_cards.put(tx, read.rates)
    print(f"{done.new} new, {done.changed} changed, {done.same} as they were.")
    for word in sorted({one.category for one in read.rates} - CATEGORIES.keys()):
        print(f"Is {word} right? Meta is not known to use this category.")
    for currency in sorted({one.currency for one in read.rates} - {settings.currency}):
        print(f"Rates in {currency} are kept and not used: WAMTRAIL_CURRENCY is {settings.currency}.")
    if done.changed:
        print("`run sender` charges anew what was charged since the first day that changed.")


@app.command()
def show(
    market: str | None = typer.Option(None, help="Two letters of a country, or *."),
    category: str | None = typer.Option(None, help="marketing, utility, authentication, service ..."),
) -> None:
    """All rates, or those of one market or category."""
    from rich.console import Console
    from rich.table import Table

    from store import money, rate_cards
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        found = rate_cards.listed(tx)
    table = Table("market", "category", "valid from", "Meta's rate", "fee", "together", "currency")
    for one in found:
        if market not in (None, one.market) or category not in (None, one.category):
            continue
        amounts = (money.plain(amount) for amount in (one.meta_micro, one.fee_micro, one.amount))
        table.add_row(one.market, one.category, one.valid_from, *amounts, one.currency)
    if not table.rows:
        fail("There are no such rates; `wamtrail rates import FILE.csv` adds some.")
    Console().print(table)
