"""After a run of retention: a job that reads on from an old position is told, one that begins anew is not."""

from zoneinfo import ZoneInfo

from story_seeds import Seeds
from test_events import FEED, NOW, ask, write

from store import open_messages, retention, rollups, search_follow
from store.retention_ages import DAY, Ages

AGES = Ages(bodies=90 * DAY, messages=400 * DAY, events=90 * DAY, audit=730 * DAY)
LATER = NOW + 91 * DAY


async def test_an_old_position_is_gone_and_a_new_beginning_is_not(seeds: Seeds) -> None:
    write(seeds.database, 1, "w1")
    begun = (await ask(seeds, FEED)).json()["next"]
    write(seeds.database, 2, "w2")
    while open_messages.step(seeds.database) or search_follow.step(seeds.database):
        pass
    rollups.refresh_all(seeds.database, ZoneInfo("UTC"), lambda: LATER)
    retention.run(seeds.database, AGES, ZoneInfo("UTC"), lambda: LATER, lambda _: None)
    gone = await ask(seeds, FEED, after=begun)
    assert gone.status_code == 410
    assert "application/problem+json" in gone.headers["content-type"]
    write(seeds.database, 3, "w3")
    assert [one["wamid"] for one in (await ask(seeds, FEED)).json()["events"]] == ["w3"]
