"""Hearing kept webhooks again, each with those that repeat it in a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from receiver.processor import understood
from store import kept, replay
from store.database import Database, is_transient
from store.kept import Which
from store.retention_ages import MessageAge

PAGE = 500


@dataclass(slots=True)
class Replayed:
    webhooks: int = 0
    changed: int = 0  # status updates that came, went or differ


def replay_all(
    database: Database,
    which: Which,
    clock: Callable[[], float],
    *,
    keep_content: bool = False,
    age: MessageAge | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Replay every webhook that `which` names, oldest first. May be stopped and started again at any time.

    `age`: of message rows; None is forever.
    """
    total, after = Replayed(), 0
    while True:
        with database.read() as tx:
            ids = kept.page_of_ids(tx, which, after, PAGE)
        for webhook_id in ids:
            total.changed += _replay(database, webhook_id, clock, keep_content=keep_content, age=age)
            total.webhooks += 1
            progress(total.webhooks)
        if len(ids) < PAGE:
            return total
        after = ids[-1]


def _replay(
    database: Database,
    webhook_id: int,
    clock: Callable[[], float],
    *,
    keep_content: bool,
    age: MessageAge | None,
) -> int:
    while True:
        try:
            with database.write() as tx:
                return replay.replay(tx, webhook_id, understood, clock(), keep_content=keep_content, age=age)
        except LookupError:
            return 0  # gone by retention since it was listed
        except Exception as problem:
            if not is_transient(problem):
                raise
