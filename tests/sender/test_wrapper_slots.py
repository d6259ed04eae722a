"""A request leaves in its moment or, over a connection that is open, not at all."""

import asyncio
import time

import pytest
from lying_server import OK, answer, config, says, server

from sender.wrapper import Moment, SlotMissed, Wrapper


def moment(seconds: float, late: list[str]) -> Moment:
    return Moment(time.monotonic() + seconds, lambda: late.append("left late"))


async def test_what_missed_its_moment_does_not_leave_over_an_open_connection():
    seen: list[bytes] = []
    late: list[str] = []

    async def play(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(answer(OK))

    async with server(play) as url, Wrapper(config(url)) as wrapper:
        await wrapper.post("1", b"{}")
        with pytest.raises(SlotMissed):
            await wrapper.post("1", b"{}", moment=moment(-1, late))
        assert len(seen) == 1
        assert (await wrapper.post("1", b"{}", moment=moment(3, late))).kind == "answered"
    assert late == []


async def test_a_connection_that_had_to_be_opened_is_used_however_long_it_took_and_that_is_told():
    late: list[str] = []
    async with server(says(answer(OK))) as url, Wrapper(config(url)) as wrapper:
        assert (await wrapper.post("1", b"{}", moment=moment(-1, late))).kind == "answered"
        assert late == ["left late"]
