"""The client against real sockets: servers that answer, close, hang, cut and lie."""

import asyncio
import logging
import socket

import pytest
from lying_server import KEY, OK, Play, answer, config, says, server

from sender.outcome import outcome_of
from sender.wrapper import Wrapper


async def test_the_request_is_the_one_kaleyra_describes():
    seen: list[bytes] = []

    async def play(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        writer.write(answer(OK))

    async with server(play) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("106/5", b'{"to":"\xc3\xa9"}')
    assert (reply.kind, reply.http_status, reply.body) == ("answered", 200, OK)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/SID1/wrapper/106%2F5/messages HTTP/1.1"
    assert f"api-key: {KEY}" in lines
    assert "Content-Type: application/json" in lines
    assert body == b'{"to":"\xc3\xa9"}'


async def test_a_chunked_answer_with_retry_after_is_read():
    chunked = (
        b"HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\nRetry-After: 7\r\n\r\n"
        b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'
    )
    async with server(says(chunked)) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert (reply.http_status, reply.body, reply.retry_after) == (429, b'{"a":1}', "7")


async def test_a_redirect_is_not_followed():
    moved = answer(b"", "HTTP/1.1 301 Moved", more="Location: /elsewhere\r\n")
    async with server(says(moved)) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.http_status) == ("answered", 301)


CUT = answer(OK, length=len(OK) + 5)
BROKEN: dict[str, tuple[Play, int | None]] = {
    "closes without a word": (says(b"", close=True), None),
    "closes within the head": (says(b"HTTP/1.1 200 OK\r\nContent-Le", close=True), None),
    "closes within the body": (says(answer(OK[:10], length=len(OK)), close=True), 200),
    "answers no HTTP": (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", close=True), None),
    "says gzip and sends none": (says(answer(OK, more="Content-Encoding: gzip\r\n")), 200),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_after_the_request_left_a_broken_answer_is_no_answer(how):
    play, status = BROKEN[how]
    async with server(play) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.http_status) == ("no_answer", status)
    assert reply.error_class in ("RemoteProtocolError", "ReadError", "DecodingError")
    assert outcome_of(reply, 0.0).kind == "unknown"


async def test_what_came_before_the_cut_is_kept_and_may_already_be_the_whole_answer():
    async with server(says(CUT, close=True)) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.body) == ("no_answer", OK)
    assert outcome_of(reply, 0.0).wamid == "wamid.A"


@pytest.mark.parametrize("first", [b"", answer(OK, length=len(OK) + 1)])
async def test_a_server_that_hangs_is_no_answer_when_the_time_is_over(first):
    async with server(says(first)) as url, Wrapper(config(url, timeout=0.2)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert reply.kind == "no_answer"
    assert reply.error_class in ("TimeoutError", "ReadTimeout")


async def test_the_whole_exchange_is_limited_also_when_bytes_trickle():
    async def trickle(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", length=10_000))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    clock = asyncio.get_running_loop().time
    async with server(trickle) as url, Wrapper(config(url, timeout=0.3)) as wrapper:
        started = clock()
        reply = await wrapper.post("1", b"{}")
        assert clock() - started < 2
    assert (reply.kind, reply.error_class) == ("no_answer", "TimeoutError")


async def test_a_closed_port_is_unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with Wrapper(config(f"http://127.0.0.1:{unused.getsockname()[1]}")) as wrapper:
            reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.http_status, reply.error_class) == ("unreachable", None, "ConnectError")


async def test_a_name_that_does_not_exist_is_unreachable():
    async with Wrapper(config("http://wrapper.invalid")) as wrapper:
        assert (await wrapper.post("1", b"{}")).kind == "unreachable"


async def test_a_connection_that_is_not_accepted_in_time_is_unreachable():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        held = [socket.socket() for _ in range(8)]
        for one in held:  # fill the queue that nobody empties
            one.setblocking(False)
            one.connect_ex(address)
        async with Wrapper(config(f"http://127.0.0.1:{address[1]}", timeout=0.3)) as wrapper:
            reply = await wrapper.post("1", b"{}")
        for one in held:
            one.close()
    assert reply.kind == "unreachable"


async def test_a_failed_tls_handshake_is_unreachable():
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 This is no TLS\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        async with Wrapper(config(f"https://127.0.0.1:{port}")) as wrapper:
            reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.error_class) == ("unreachable", "ConnectError")


async def test_a_kept_connection_closed_by_the_server_never_counts_as_sent():
    closed = asyncio.Event()

    async def once(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(OK))
        await writer.drain()
        writer.close()
        closed.set()

    async with server(once) as url, Wrapper(config(url, concurrency=8)) as wrapper:
        first = await wrapper.post("1", b"{}")
        await closed.wait()
        second = await wrapper.post("1", b"{}")
    assert first.kind == "answered"
    assert second.kind in ("answered", "no_answer")  # noticed in time and connected anew, or not


async def test_an_answer_without_end_is_kept_up_to_a_megabyte():
    async def flood(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", length=50_000_000))
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with server(flood) as url, Wrapper(config(url, timeout=10)) as wrapper:
        reply = await wrapper.post("1", b"{}")
    assert (reply.kind, len(reply.body)) == ("answered", 1_000_000)
    assert outcome_of(reply, 0.0).kind == "unknown"


async def test_requests_spread_over_the_clients_and_wait_for_a_free_place():
    open_now = most = 0
    gate = asyncio.Event()

    async def count(_request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if most == 6:
            gate.set()
        await gate.wait()
        open_now -= 1
        writer.write(answer(OK))

    async with server(count) as url, Wrapper(config(url, concurrency=6, per_client=2)) as wrapper:
        replies = await asyncio.gather(*(wrapper.post("1", b"{}") for _ in range(30)))
    assert {reply.kind for reply in replies} == {"answered"}
    assert most == 6


async def test_waiting_for_a_free_place_too_long_is_unreachable():
    async with (
        server(says(b"")) as url,
        Wrapper(config(url, concurrency=1, timeout=0.3)) as wrapper,
    ):
        replies = await asyncio.gather(wrapper.post("1", b"{}"), wrapper.post("1", b"{}"))
    assert sorted(reply.kind for reply in replies) == ["no_answer", "unreachable"]


async def test_a_cancelled_call_is_cancelled_and_frees_its_place():
    asked = asyncio.Event()

    async def play(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"hang" in request:
            asked.set()
            return
        writer.write(answer(OK))

    async with server(play) as url, Wrapper(config(url, concurrency=1)) as wrapper:
        task = asyncio.create_task(wrapper.post("1", b"hang"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await wrapper.post("1", b"{}")).kind == "answered"


async def test_a_closed_wrapper_sends_nothing_and_closes_twice():
    async with server(says(answer(OK))) as url:
        wrapper = Wrapper(config(url))
        await wrapper.aclose()
        await wrapper.aclose()
        reply = await wrapper.post("1", b"{}")
    assert (reply.kind, reply.error_class) == ("unreachable", "RuntimeError")


async def test_the_key_is_in_no_repr_and_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with server(says(b"", close=True)) as url, Wrapper(config(url)) as wrapper:
        reply = await wrapper.post("1", b"{}")
        shown = [repr(wrapper), repr(config(url)), repr(reply), str(outcome_of(reply, 0.0))]
    assert KEY not in "".join(shown) + caplog.text
