"""Finding all that belongs to a person: their names, followed from one to the other, and their wamids."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import text

from store.database import Database, ReadTx
from store.lists import among, given
from whatsapp.person import Person, is_name

PAGE = 5_000
_WALKED = ("messages", "inbound_messages", "strangers", "charges", "sent_twice")


def names(tx: ReadTx, person: Person) -> set[str]:
    """Every name that somebody bears who bears one of these."""
    known, fresh = set(person.names), set(person.names)
    while fresh:
        values = {"names": given(tx, sorted(fresh))}
        found: set[str] = set()
        for statement in _links(tx):
            for row in tx.all(text(statement), values):
                found |= {one for one in row if is_name(one)}
        fresh = found - known
        known |= fresh
    return known


def _links(tx: ReadTx) -> list[str]:
    some = among(tx, "names")
    both = "m.recipient_id, m.recipient_user_id"
    return [
        f"SELECT recipient, name FROM known_as WHERE name {some} OR recipient {some}",
        f"SELECT recipient, user_id FROM strangers WHERE recipient {some} OR user_id {some}",
        f"SELECT sender_id, sender_user_id FROM inbound_messages WHERE sender_id {some}"
        f" OR sender_user_id {some}",
        f"SELECT s.recipient, {both} FROM sends AS s JOIN messages AS m ON m.wamid = s.wamid"
        f" WHERE s.recipient {some}",
        f"SELECT m.recipient, {both} FROM messages AS m WHERE m.recipient {some} OR m.recipient_id {some}"
        f" OR m.recipient_user_id {some}",
    ]


def wamids(tx: ReadTx, person: Person) -> set[str]:
    """The messages to and from them, as far as their names say."""
    some = among(tx, "names")
    values = {"names": given(tx, sorted(person.names))}
    found: set[str] = set()
    for statement in (
        f"SELECT wamid FROM sends WHERE recipient {some} AND wamid IS NOT NULL",
        f"SELECT t.wamid FROM sent_twice AS t JOIN sends AS s ON s.message_id = t.message_id"
        f" WHERE s.recipient {some}",
        f"SELECT wamid FROM messages WHERE recipient {some} OR recipient_id {some}"
        f" OR recipient_user_id {some}",
        f"SELECT wamid FROM status_updates WHERE recipient_id {some} OR recipient_user_id {some}",
        f"SELECT wamid FROM strangers WHERE recipient {some} OR user_id {some}",
        f"SELECT wamid FROM inbound_messages WHERE sender_id {some} OR sender_user_id {some}",
    ):
        found |= {row.wamid for row in tx.all(text(statement), values)}
    return {wamid for wamid in found if not wamid.startswith("erased-")}


def encoded(database: Database, person: Person, told: Callable[[int], None]) -> set[str]:
    """The messages whose id encodes a name of theirs, whoever they are said to be for."""
    found: set[str] = set()
    for table in _WALKED:
        for page in _pages(database, table):
            found |= {wamid for wamid in page if person.wrote_or_got(wamid)}
            told(len(page))
    return found


def _pages(database: Database, table: str) -> Iterable[Sequence[str]]:
    after = ""
    statement = text(f"SELECT DISTINCT wamid FROM {table} WHERE wamid > :after ORDER BY wamid LIMIT :most")
    while True:
        with database.read() as tx:
            page = [row.wamid for row in tx.all(statement, {"after": after, "most": PAGE})]
        if page:
            yield page
            after = page[-1]
        if len(page) < PAGE:
            return


def in_groups(tx: ReadTx, person: Person) -> set[str]:
    """Messages to groups that they are a member of."""
    statement = f"SELECT DISTINCT wamid FROM participants WHERE participant {among(tx, 'names')}"
    return {row.wamid for row in tx.all(text(statement), {"names": given(tx, sorted(person.names))})}


def sends(tx: ReadTx, person: Person) -> list[tuple[str, str]]:
    """(message_id, state) of what they were to be sent."""
    statement = (
        f"SELECT message_id, state FROM sends WHERE recipient {among(tx, 'names')} ORDER BY message_id"
    )
    rows = tx.all(text(statement), {"names": given(tx, sorted(person.names))})
    return [(row.message_id, row.state) for row in rows]


def still_there(tx: ReadTx, wamids: Iterable[str]) -> set[str]:
    """Those of them under which rows of messages stand."""
    found: set[str] = set()
    every = sorted(wamids)
    for at in range(0, len(every), PAGE):
        values = {"wamids": given(tx, every[at : at + PAGE])}
        for table in ("messages", "status_updates", "inbound_messages", "sends"):
            statement = f"SELECT DISTINCT wamid FROM {table} WHERE wamid {among(tx, 'wamids')}"
            found |= {row.wamid for row in tx.all(text(statement), values)}
    return found
