"""Whatever authentic body comes: 200, kept byte for byte, and found again in rows or in quarantine."""

import pytest
from kept_rows import OUTCOMES, count, kept_bodies, processor
from odd_bodies import ODD, Odd
from payload_samples import SAMPLES
from running_door import running_door

from store.database import Database
from store.verify import verify


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
async def test_an_odd_body_is_kept_as_it_came_and_ends_in_rows_or_quarantine(
    database: Database, odd: Odd
) -> None:
    async with running_door(database) as door:
        answer = await door.post(odd.body)
    assert (answer.status_code, answer.content) == (200, b"")
    assert kept_bodies(database) == [odd.body]
    assert count(database, "webhook_backlog") == 1
    processor(database).drain()
    assert count(database, "webhook_backlog") == 0
    found = {table: count(database, table) for table in (*OUTCOMES, "participants")}
    assert {table: found[table] for table in odd.found} == odd.found
    if "quarantine" not in odd.found:
        assert found["quarantine"] == 0
    assert verify(database).good


async def test_every_written_sample_goes_the_whole_way(database: Database) -> None:
    bodies = [path.read_bytes() for path in sorted(SAMPLES.glob("*.json"))]
    async with running_door(database) as door:
        for body in bodies:
            assert (await door.post(body)).status_code == 200
    assert kept_bodies(database) == bodies
    assert processor(database).drain() == len(bodies)
    with_nothing = [
        number
        for number in range(1, len(bodies) + 1)
        if not sum(count(database, f"{table} WHERE webhook_id = {number}") for table in OUTCOMES)
    ]
    assert with_nothing == []
    assert verify(database).good


async def test_a_good_body_is_not_held_up_by_the_odd_ones_around_it(database: Database) -> None:
    async with running_door(database) as door:
        for odd in ODD.values():
            assert (await door.post(odd.body)).status_code == 200
            assert (await door.post((SAMPLES / "sent.json").read_bytes())).status_code == 200
    assert processor(database).drain() == 2 * len(ODD)
    assert count(database, "quarantine WHERE reason LIKE 'Processing%'") == 0
    assert count(database, "webhook_backlog") == 0
    assert verify(database).good
