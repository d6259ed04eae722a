"""What must be true after the chaos, whatever happened; the simulator's lists against the tables."""

from collections import Counter
from typing import Any

from sqlalchemy import text

from bench.send_case import fullest
from simulator.client import SimulatorClient
from store.database import Database


def broken(database: Database, simulator: SimulatorClient, rate: float) -> list[str]:
    """The promises that were not kept, each as a sentence."""
    posts = simulator.posts()
    taken = Counter(one["callback_data"] for one in simulator.messages())
    posted = Counter(one["callback_data"] for one in posts if one["callback_data"])
    safe = Counter(one["callback_data"] for one in posts if one["outcome"] == "throttled")
    states = _pairs(database, "SELECT message_id, state FROM sends")
    attempts = _pairs(database, "SELECT message_id, count(*) FROM send_attempts GROUP BY message_id")
    twice = _value(database, "SELECT count(*) FROM sent_twice")
    again = [one for one, count in posted.items() if count - safe[one] > 1]
    rowless = [one for one, count in posted.items() if count > attempts.get(one, 0)]
    unsettled = [one for one in taken if states[one] != "accepted"]
    untrue = [one for one, state in states.items() if state == "accepted" and not taken[one]]
    left = [one for one, state in states.items() if state in ("queued", "sending")]
    found = [
        (len([one for one, count in taken.items() if count > 1]), "messages were taken twice by Meta"),
        (len(again), "messages were posted again though nobody said that they were refused"),
        (len(rowless), "messages were posted more often than they have attempts"),
        (len(unsettled), "messages were taken and reported, and are not accepted here"),
        (len(untrue), "messages are accepted here, and Meta never took them"),
        (len(left), "messages are still queued or being sent"),
        (twice, "second wamids were counted"),
    ]
    for number in sorted({one["phone_number_id"] for one in posts}):
        most = _fullest(posts, number)
        found.append(
            (max(most - int(rate), 0), f"messages of a number over its limit of {rate:.0f} in a second")
        )
    return [f"{count} {words}" for count, words in found if count]


def summary(database: Database, simulator: SimulatorClient) -> str:
    posts = simulator.posts()
    outcomes = Counter(one["outcome"] for one in posts)
    states = Counter(_pairs(database, "SELECT message_id, state FROM sends").values())
    by = _pairs(database, "SELECT coalesce(settled_by, 'nobody'), count(*) FROM sends GROUP BY 1")
    most = [_fullest(posts, number) for number in sorted({one["phone_number_id"] for one in posts})]
    return "\n".join(
        (
            f"  POSTs at the wrapper: {len(posts)}: {_listed(outcomes)}",
            f"  fullest second of each number: {most}",
            f"  sends: {_listed(states)}; settled by {_listed(by)}",
            f"  sent twice: {_value(database, 'SELECT count(*) FROM sent_twice')}",
        )
    )


def _fullest(posts: list[dict[str, Any]], number: str) -> int:
    return fullest(sorted(one["at"] for one in posts if one["phone_number_id"] == number))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))


def _pairs(database: Database, statement: str) -> dict[str, Any]:
    with database.read() as tx:
        return dict(tuple(row) for row in tx.all(text(statement)))


def _value(database: Database, statement: str) -> int:
    with database.read() as tx:
        return int(tx.value(text(statement)))
