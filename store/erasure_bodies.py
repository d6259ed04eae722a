"""Kept webhooks without one person: every body is looked into, and rewritten where they are in it."""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import text

from store import erasure_state
from store.database import Database, ReadTx, WriteTx
from store.erasure_state import Words, written
from store.extras import quarantine_digest
from store.lists import among, given
from store.records import QuarantinedPart
from store.webhooks import WORTH_COMPRESSING
from whatsapp.person import Person

PAGE, PAGE_BYTES = 200, 8_000_000  # looked at together
AT_ONCE = 5  # rewritten in one transaction, which SQLite's door waits for
_IDS = text("SELECT id, received_at, size FROM webhooks WHERE id > :after ORDER BY id LIMIT :most")


def count(tx: ReadTx) -> int:
    return int(tx.value(text("SELECT count(*) FROM webhooks")) or 0)


def rewrite_all(
    database: Database, key: str, person: Person, words: Words, told: Callable[[int], None], after: int = 0
) -> tuple[Person, int, int, bool]:
    """Rewrite those above an id: who it is by now, how many changed, the last id, whether more was learnt."""
    changed, more = 0, False
    while True:
        with database.read() as tx:
            page = _page(tx, after)
            if not page:
                return person, changed, after, more
            bodies = _bodies(tx, page)
        person, wanted, learnt = _looked(database, key, person, words, bodies)
        more |= learnt
        mine = [one for one in page if one[0] in wanted]
        for some in (mine[at : at + AT_ONCE] for at in range(0, len(mine), AT_ONCE)):
            changed += written(database, partial(_rewrite, page=some, person=person, words=words))
        after = page[-1][0]
        told(len(page))


def in_how_many(database: Database, person: Person, words: Words, told: Callable[[int], None]) -> int:
    """How many would be rewritten."""
    found, after = 0, 0
    while True:
        with database.read() as tx:
            page = _page(tx, after)
            if not page:
                return found
            bodies = _bodies(tx, page)
        found += sum(words.body(person, body).body is not None for _, body in bodies)
        after = page[-1][0]
        told(len(page))


def _looked(
    database: Database, key: str, person: Person, words: Words, bodies: Sequence[tuple[int, bytes]]
) -> tuple[Person, set[int], bool]:
    """Which of them hold the person; what they tell is remembered before any of them loses it."""
    learnt = False
    while True:
        found = [(webhook_id, words.body(person, body)) for webhook_id, body in bodies]
        names = {name for _, one in found for name in one.names}
        wamids = {wamid for _, one in found for wamid in one.wamids}
        if not names and not wamids:
            return person, {webhook_id for webhook_id, one in found if one.body is not None}, learnt
        learnt = True
        person = written(database, partial(erasure_state.learnt, key=key, names=names, wamids=wamids))


def _page(tx: ReadTx, after: int) -> list[tuple[int, float]]:
    """(id, received_at) of the next ones, bounded in bytes."""
    page: list[tuple[int, float]] = []
    held = 0
    for row in tx.all(_IDS, {"after": after, "most": PAGE}):
        held += row.size
        if page and held > PAGE_BYTES:
            break
        page.append((row.id, row.received_at))
    return page


def _bodies(tx: ReadTx, page: Sequence[tuple[int, float]], lock: str = "") -> list[tuple[int, bytes]]:
    statement = (
        f"SELECT id, compressed, body FROM webhooks WHERE id {among(tx, 'ids')}"
        f" AND received_at BETWEEN :first AND :last ORDER BY id{lock}"
    )
    times = [received_at for _, received_at in page]
    values: dict[str, Any] = {"ids": given(tx, [webhook_id for webhook_id, _ in page])}
    rows = tx.all(text(statement), {**values, "first": min(times), "last": max(times)})
    return [(row.id, zlib.decompress(row.body) if row.compressed else bytes(row.body)) for row in rows]


def _rewrite(tx: WriteTx, page: Sequence[tuple[int, float]], person: Person, words: Words) -> int:
    """With their markers locked: a processor that has one of them in hand is waited for."""
    ids = given(tx, [webhook_id for webhook_id, _ in page])
    lock = " FOR UPDATE" if tx.postgres else ""
    tx.all(
        text(f"SELECT 1 FROM webhook_backlog WHERE webhook_id {among(tx, 'ids')} ORDER BY webhook_id{lock}"),
        {"ids": ids},
    )
    changed, times = 0, dict(page)
    for webhook_id, before in _bodies(tx, page, lock):
        body = words.body(person, before).body
        if body is not None:
            _write(tx, webhook_id, times[webhook_id], before, body)
            changed += 1
    return changed


def _write(tx: WriteTx, webhook_id: int, received_at: float, before: bytes, body: bytes) -> None:
    packed = zlib.compress(body, 1) if len(body) >= WORTH_COMPRESSING else body
    smaller = len(packed) < len(body)
    values = {"id": webhook_id, "at": received_at, "size": len(body), "compressed": smaller}
    tx.run(
        text(
            "UPDATE webhooks SET body = :body, compressed = :compressed, size = :size, digest = :digest"
            " WHERE id = :id AND received_at = :at"
        ),
        {**values, "body": packed if smaller else body, "digest": hashlib.sha256(body).digest()},
    )
    tx.run(text("UPDATE webhook_backlog SET size = :size WHERE webhook_id = :id"), values)
    _quarantined_whole(tx, webhook_id, before, body)


def _quarantined_whole(tx: WriteTx, webhook_id: int, before: bytes, body: bytes) -> None:
    """A body that nobody could read stands in quarantine under its digest, which is another now."""
    old, new = (f"sha256:{hashlib.sha256(one).hexdigest()}" for one in (before, body))
    held = text("SELECT digest, reason FROM quarantine WHERE webhook_id = :id AND part = :part")
    for row in tx.all(held, {"id": webhook_id, "part": old}):
        digest = quarantine_digest(QuarantinedPart("", row.reason, new))
        known = tx.value(text("SELECT 1 FROM quarantine WHERE digest = :digest"), {"digest": digest})
        statement = (
            "DELETE FROM quarantine WHERE digest = :old"
            if known
            else "UPDATE quarantine SET digest = :digest, part = :part WHERE digest = :old"
        )
        tx.run(text(statement), {"digest": digest, "part": new, "old": bytes(row.digest)})
