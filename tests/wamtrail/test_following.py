"""Followers in the background: they keep going, rest when there is nothing, tell of trouble."""

import asyncio

from structlog.testing import capture_logs

from store.database import Database
from store.errors import DatabaseAway
from wamtrail import following
from wamtrail.following import Follower


class Steps:
    """Does what it was told, one thing a step, and sets `stopping` after the last."""

    def __init__(self, *told: bool | Exception) -> None:
        self.told = list(told)
        self.count = 0
        self.stopping = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def __call__(self, _database: Database) -> bool:
        one = self.told[self.count]
        self.count += 1
        if self.count == len(self.told):
            self.loop.call_soon_threadsafe(self.stopping.set)
        if isinstance(one, Exception):
            raise one
        return one


async def test_it_goes_on_as_long_as_there_is_news(sqlite_url: str):
    steps = Steps(True, True, True, False)
    await following.background(Database(sqlite_url), [Follower("x", steps)])(steps.stopping)
    assert steps.count == 4


async def test_trouble_is_told_without_what_was_read_and_tried_again(sqlite_url: str, monkeypatch):
    monkeypatch.setattr(following, "pause", lambda _failures: 0.0)
    steps = Steps(ValueError("+919876543678"), DatabaseAway("The database is away."), True)
    with capture_logs() as logs:
        await following.follow(Database(sqlite_url), Follower("x", steps), steps.stopping, asyncio.Lock())
    assert [(one["event"], one["follower"]) for one in logs] == [
        ("follower_failed", "x"),
        ("follower_waits", "x"),
    ]
    assert "919876543678" not in str(logs)
    assert steps.count == 3


def test_pauses_grow_up_to_a_limit():
    assert [following.pause(n) for n in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert following.pause(1000) == following.LONGEST


def test_every_follower_has_a_name_of_its_own():
    names = [one.name for one in following.EVERY]
    assert len(set(names)) == len(names)
