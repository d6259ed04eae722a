"""`db verify`: recompute every folded row from the status updates and compare, a page of wamids at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import text

from store import updates
from store.database import Database, ReadTx
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, fold
from store.lists import among, given
from store.updates import Heard
from whatsapp.masking import mask_wamid

PAGE = 2000  # messages compared in one read transaction
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Verified:
    messages: int
    wrong: int
    examples: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.wrong == 0

    @property
    def sentence(self) -> str:
        if self.good:
            return f"All {self.messages:,} messages are what their status updates say."
        return (
            f"{self.wrong:,} of {self.messages:,} messages are not what their status updates say;"
            " replay their webhooks with `wamtrail webhooks replay`."
        )


def verify(database: Database, progress: Callable[[int], None] = lambda _: None) -> Verified:
    messages, wrong = 0, 0
    examples: list[str] = []
    after = ""
    while True:
        with database.read() as tx:
            wamids = _page(tx, after)
            differing = _differing(tx, wamids)
        messages += len(wamids)
        wrong += len(differing)
        examples += [mask_wamid(wamid) for wamid in differing[: EXAMPLES - len(examples)]]
        progress(messages)
        if len(wamids) < PAGE:
            return Verified(messages, wrong, tuple(examples))
        after = wamids[-1]


def _page(tx: ReadTx, after: str) -> list[str]:
    """The next wamids of either table: an update without its message is wrong as well."""
    either = (
        "(SELECT wamid FROM messages WHERE wamid > :after ORDER BY wamid LIMIT :page)",
        "(SELECT DISTINCT wamid FROM status_updates WHERE wamid > :after ORDER BY wamid LIMIT :page)",
    )
    union = " UNION ".join(f"SELECT wamid FROM {one} AS part" for one in either)
    statement = f"SELECT wamid FROM ({union}) AS every ORDER BY wamid LIMIT :page"
    return [row.wamid for row in tx.all(text(statement), {"after": after, "page": PAGE})]


def _differing(tx: ReadTx, wamids: list[str]) -> list[str]:
    told = updates.of_messages(tx, wamids)
    stored = _stored(tx, "messages", wamids, ("wamid",), COLUMNS)
    members = _stored(tx, "participants", wamids, ("wamid", "participant"), PARTICIPANT_COLUMNS)
    expected = _folded(told, lambda one: (one.update.wamid,), COLUMNS)
    expected_members = {
        key: row for key, row in _folded(told, _member, PARTICIPANT_COLUMNS).items() if key[1]
    }
    nothing = tuple(None for _ in COLUMNS)
    wrong = {wamid for wamid in wamids if stored.get((wamid,)) != expected.get((wamid,), nothing)}
    wrong |= {
        key[0]
        for key in members.keys() | expected_members.keys()
        if members.get(key) != expected_members.get(key)
    }
    return sorted(wrong)


def _member(one: Heard) -> tuple[str, ...]:
    return one.update.wamid, one.update.participant


def _folded(
    told: list[Heard], key: Callable[[Heard], tuple[str, ...]], columns: tuple[str, ...]
) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {
        group: fold((one.update, one.received_at) for one in members).row(columns)
        for group, members in groupby(sorted(told, key=key), key=key)
    }


def _stored(
    tx: ReadTx, table: str, wamids: list[str], key: tuple[str, ...], columns: tuple[str, ...]
) -> Mapping[tuple[str, ...], tuple[Any, ...]]:
    statement = f"SELECT {', '.join((*key, *columns))} FROM {table} WHERE wamid {among(tx, 'wamids')}"
    rows = tx.all(text(statement), {"wamids": given(tx, wamids)})
    return {tuple(row[: len(key)]): tuple(row[len(key) :]) for row in rows}
