"""Removing a person everywhere, in small steps that a killed run goes on with; the figures stay.

First what is queued for them is cancelled; then bodies are rewritten, so that nothing can bring back what
the rows lose after that; then messages, sends and every other text; in the end what came meanwhile. The
names and ids are kept until then (store/erasure_state.py), since each step destroys what tells them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import text

from store import (
    audit,
    erasure_bodies,
    erasure_find,
    erasure_rows,
    erasure_sends,
    erasure_state,
    events,
    following,
    numbers,
    open_messages,
    rollups,
    search_follow,
    searches,
)
from store import erasure_sweep as sweeping
from store.database import Database, ReadTx, WriteTx
from store.erasure_state import Words, written
from store.errors import Refused
from store.lists import among, given
from whatsapp.masking import digits
from whatsapp.person import Person

ROUNDS = 5  # of looking for what came meanwhile
OVERLAP = 10_000  # bodies: an id below the last one may have become visible after it
_FOLLOWED = ("strangers", "open_messages", "report_strangers", "dirty_messages", "charges_due")


@dataclass(frozen=True, slots=True)
class Asked:
    """`name`: phone digits or user id; `shown`: what the audit log says; `secret`: random, made for this.
    `typed`: the digits as they were given, which with a default country are not yet the name."""

    name: str
    shown: str
    now: float
    day: str
    secret: bytes
    typed: str = ""


@dataclass(slots=True)
class Erased:
    """How much was found, by kind."""

    names: int = 0
    counts: Counter[str] = field(default_factory=Counter)


Told = Callable[[str, int], None]  # phase, how many more were looked at


def _quiet(_phase: str, _count: int) -> None:
    pass


def erase(
    database: Database, asked: Asked, words: Words, pause: Callable[[float], None], told: Told = _quiet
) -> Erased:
    """All of it. Raises Refused while something is being sent to them, or more of them keeps coming: the
    command is run again then, and goes on."""
    done = Erased()
    key, person = _begin(database, asked, done)
    person, last = _everything(database, key, person, words, pause, done, told)
    for _ in range(ROUNDS):
        known = person.names
        person, last, more = _came_meanwhile(database, key, person, asked, words, done, last, told)
        if person.names != known:  # another name was told meanwhile: what bears only that one is left
            person, last = _everything(database, key, person, words, pause, done, told)
        elif not more:
            break
    else:
        raise Refused(
            "More of this person keeps coming in. What was found is erased; run the command again to end it."
        )
    done.names = len(person.names)
    written(database, lambda tx: _end(tx, key, person, asked, done))
    return done


def _everything(
    database: Database,
    key: str,
    person: Person,
    words: Words,
    pause: Callable[[float], None],
    done: Erased,
    told: Told,
) -> tuple[Person, int]:
    """Bodies, rows and every other text of who they are known as by now; up to which body."""
    person = _known(database, key, person, told)
    person, last = _bodies(database, key, person, words, done, told)
    _let_in_hand_end(database, pause)
    _rows(database, person, words, done, told, person.wamids)
    for table in sweeping.tables():
        done.counts += sweeping.sweep(database, table, person, words, lambda n: told("tables", n))
    return person, last


def found(database: Database, asked: Asked, words: Words, told: Told = _quiet) -> Erased:
    """What `erase` would find now; nothing is changed."""
    with database.read() as tx:
        _refuse_ours(tx, asked)
        person = erasure_state.peeked(tx, asked.name) or _new(asked)
        person = person.also(erasure_find.names(tx, person))
        person = person.also(wamids=erasure_find.wamids(tx, person))
        sends = erasure_find.sends(tx, person)
    theirs = {message_id for message_id, _ in sends}
    person = person.also(wamids=erasure_find.encoded(database, person, lambda n: told("messages", n)))
    done = Erased(len(person.names))
    done.counts["cancelled"] = sum(state == "queued" for _, state in sends)
    done.counts["webhooks"] = erasure_bodies.in_how_many(
        database, person, words, lambda n: told("webhooks", n)
    )
    for table in sweeping.tables():
        for page in sweeping.pages(database, table):
            done.counts[table.name] += sum(
                sweeping.holds(table, row, person, words) or _answers_theirs(table.name, row, theirs)
                for row in page
            )
            told("tables", len(page))
    with database.read() as tx:
        done.counts["searches"] = searches.count(tx)  # all go
    return done


def _answers_theirs(table: str, row: sweeping.Row, theirs: set[str]) -> bool:
    """An answer to a send of theirs goes, whatever is in it."""
    return table == "attempt_outcomes" and row["message_id"] in theirs and row["answer"] is not None


def _new(asked: Asked) -> Person:
    return Person(frozenset({asked.name}), frozenset(), asked.secret, asked.day)


def _refuse_ours(tx: ReadTx, asked: Asked) -> None:
    """A sending number, by its id or as people write it: erasing it would take its messages their sender."""
    given_as = sorted({asked.name, asked.typed} - {""})
    known = {digits(one.display_number or "") for one in numbers.every(tx)}
    ours = not known.isdisjoint(given_as)
    for table in ("numbers", "sends", "strangers", "inbound_messages"):
        statement = f"SELECT 1 FROM {table} WHERE phone_number_id {among(tx, 'names')} LIMIT 1"
        ours = ours or tx.value(text(statement), {"names": given(tx, given_as)}) is not None
    if ours:
        raise Refused("This is one of your own sending numbers, not a person's.")


def _begin(database: Database, asked: Asked, done: Erased) -> tuple[str, Person]:
    """Remembered, and nothing more leaves for them; both or none."""
    with database.read() as tx:
        _refuse_ours(tx, asked)
        person = erasure_state.peeked(tx, asked.name) or _new(asked)
        names = erasure_find.names(tx, person)

    def begin(tx: WriteTx) -> tuple[str, Person, int, int]:
        key, _ = erasure_state.begun(tx, asked.name, asked.day, asked.secret)
        who = erasure_state.learnt(tx, key, names, ())
        cancelled = erasure_sends.stop(tx, who, asked.now)
        events.count_erasures(tx, events.erasures(tx) // 2 * 2 + 1)
        forgotten = searches.forget(tx)  # a query can spell a number in any way, and is kept for a day only
        return key, who, cancelled, forgotten

    key, person, cancelled, forgotten = written(database, begin)
    done.counts["cancelled"] += cancelled
    done.counts["searches"] += forgotten
    return key, person


def _known(database: Database, key: str, person: Person, told: Told) -> Person:
    """With all names and all wamids that the rows tell; the walk over what ids encode is the long part."""
    with database.read() as tx:
        names = erasure_find.names(tx, person)
        wamids = erasure_find.wamids(tx, person.also(names))
    wamids |= erasure_find.encoded(database, person.also(names), lambda n: told("messages", n))
    return written(database, lambda tx: erasure_state.learnt(tx, key, names, wamids))


def _bodies(
    database: Database, key: str, person: Person, words: Words, done: Erased, told: Told
) -> tuple[Person, int]:
    """Again from the start as long as bodies tell of more names or messages."""
    while True:
        person, changed, last, more = erasure_bodies.rewrite_all(
            database, key, person, words, lambda n: told("webhooks", n)
        )
        done.counts["webhooks"] += changed
        if not more:
            return person, last
        person = _known(database, key, person, told)


def _let_in_hand_end(database: Database, pause: Callable[[float], None]) -> None:
    """SQLite's processor reads a body before it asks for its turn to write, and holds no lock meanwhile."""
    if database.sqlite:
        with database.read() as tx:
            waiting = tx.value(text("SELECT 1 FROM webhook_backlog LIMIT 1"))
        if waiting is not None:
            pause(1.0)


def _rows(
    database: Database, person: Person, words: Words, done: Erased, told: Told, wamids: Iterable[str]
) -> None:
    with database.read() as tx:
        sends = [message_id for message_id, _ in erasure_find.sends(tx, person)]
        groups = erasure_find.in_groups(tx, person)
    for some in _slices(sends, erasure_sends.AT_ONCE):
        answers = written(
            database, partial(erasure_sends.erase, message_ids=some, person=person, words=words)
        )
        done.counts["attempt_outcomes"] += answers
        told("messages", len(some))
    done.counts["sends"] += len(sends)
    wanted = sorted({*wamids, *groups})
    for some in _slices(wanted, erasure_rows.AT_ONCE):
        done.counts += written(database, partial(erasure_rows.erase, wamids=some, person=person, words=words))
        told("messages", len(some))


def _came_meanwhile(
    database: Database,
    key: str,
    person: Person,
    asked: Asked,
    words: Words,
    done: Erased,
    last: int,
    told: Told,
) -> tuple[Person, int, bool]:
    """What was posted, processed or queued since; whether there was anything."""
    before = person
    person, changed, last, _ = erasure_bodies.rewrite_all(
        database, key, person, words, lambda n: told("webhooks", n), max(0, last - OVERLAP)
    )
    done.counts["webhooks"] += changed
    with database.read() as tx:
        names = erasure_find.names(tx, person)
        fresh = erasure_find.wamids(tx, person.also(names))
        there = erasure_find.still_there(tx, person.wamids)
        sends = erasure_find.sends(tx, person.also(names))
    person = written(database, lambda tx: erasure_state.learnt(tx, key, names, fresh))
    if sends:
        done.counts["cancelled"] += written(database, lambda tx: erasure_sends.stop(tx, person, asked.now))
    wanted = fresh | there | (person.wamids - before.wamids)
    if wanted or sends:
        _rows(database, person, words, done, told, wanted)
    return person, last, bool(changed or wanted or sends)


def _end(tx: WriteTx, key: str, person: Person, asked: Asked, done: Erased) -> None:
    """Followers that have looked at a message under its old id look again, and what they wrote of it goes."""
    following.step_back(tx, (open_messages.NAME, search_follow.NAME, rollups.NAME))
    for some in _slices(sorted(person.wamids), 5_000):
        for table in _FOLLOWED:
            tx.run(
                text(f"DELETE FROM {table} WHERE {erasure_rows.by_key(table)}wamid {among(tx, 'wamids')}"),
                {"wamids": given(tx, some)},
            )
    names = {"names": given(tx, sorted(person.names))}
    some_names = among(tx, "names")
    tx.run(text(f"DELETE FROM known_as WHERE name {some_names} OR recipient {some_names}"), names)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(done.counts.items()) if count)
    audit.record(tx, at=asked.now, who="command", action="erase", target=asked.shown, reason=told)
    erasure_state.ended(tx, key)
    if not erasure_state.open_ones(tx):
        events.count_erasures(tx, events.erasures(tx) // 2 * 2 + 2)


def _slices(whole: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (whole[at : at + size] for at in range(0, len(whole), size))
