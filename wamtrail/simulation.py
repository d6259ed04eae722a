"""`wamtrail simulate` (only the simulator) and `wamtrail demo` (everything, with the simulator behind it)."""

from pathlib import Path

import typer

from wamtrail.saying import fail


def simulate(
    port: int = typer.Option(8090, min=0, max=65535),
    host: str = typer.Option("127.0.0.1"),
    callback_url: str | None = typer.Option(None, help="Where webhooks are posted; without it, kept only."),
    sid: str | None = None,
    api_key: str | None = None,
    app_secret: str | None = typer.Option(None, help="Signs the webhooks."),
    verify_token: str | None = None,
    number: list[str] = typer.Option([], help="A PHONE_NUMBER_ID that exists; may be repeated."),
    seed: int = typer.Option(1, help="The same seed and sends give the same fates and ids."),
    answer_delay: float = typer.Option(0.0, help="Seconds before the wrapper answers."),
    status_delay: float = typer.Option(0.5, help="Seconds between the statuses of a message."),
    repeat: float = typer.Option(0.0, help="Share of webhooks that are posted twice."),
    shuffle: float = typer.Option(0.0, help="Share of messages whose statuses come out of order."),
    batch: int = typer.Option(1, help="Most statuses gathered in one POST."),
    before_answer: float = typer.Option(0.0, help="Share of sends whose `sent` comes before the answer."),
    strangers: float = typer.Option(0.0, help="Share of sends with a status of somebody else's message."),
    rate_limit: int | None = typer.Option(None, help="Sends a second and number; over it 130429."),
    fail_share: float = typer.Option(0.05, help="Share of messages that fail."),
    sent_only_share: float = typer.Option(0.03, help="Share of which nothing but `sent` is heard."),
    read_share: float = typer.Option(0.6, help="Share of the delivered that is read."),
    hang_seconds: float = typer.Option(60.0, help="How late a hanging request is answered."),
    group_size: int = typer.Option(3, help="Participants of every group."),
) -> None:
    """Play Kaleyra's wrapper and Meta's webhooks on one port. Magic recipients choose a fate: see below."""
    from simulator import server
    from simulator.scenario import Scenario

    given = {
        "callback_url": callback_url, "sid": sid, "api_key": api_key, "app_secret": app_secret,
        "verify_token": verify_token, "phone_number_ids": tuple(number) or None, "seed": seed,
        "answer_delay": answer_delay, "status_delay": status_delay, "repeat": repeat, "shuffle": shuffle,
        "batch": batch, "before_answer": before_answer, "strangers": strangers, "rate_limit": rate_limit,
        "fail_share": fail_share, "sent_only_share": sent_only_share, "read_share": read_share,
        "hang_seconds": hang_seconds, "group_size": group_size,
    }  # fmt: skip
    try:
        scenario = Scenario(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        server.run(scenario, host, port, ready=lambda url: print(_simulator_sentence(url, scenario)))
    except (ValueError, OSError) as problem:
        fail(str(problem))


def _simulator_sentence(url: str, scenario: object) -> str:
    sid, key = getattr(scenario, "sid", ""), getattr(scenario, "api_key", "")
    return f"Simulating Kaleyra and Meta at {url} (SID {sid}, api-key {key}). Ctrl-C stops."


def demo(
    port: int = typer.Option(8081, help="The page's port; the receiver takes the one below it."),
    database: Path | None = typer.Option(
        None, help="Keep the SQLite file here instead of a folder that goes."
    ),
    messages: int = typer.Option(40, min=0, max=500, help="How many sample messages leave at the start."),
) -> None:
    """Everything on an embedded SQLite file, with the simulator as Kaleyra and Meta, and sample traffic."""
    from wamtrail.demo import run

    run(port, database, messages)
