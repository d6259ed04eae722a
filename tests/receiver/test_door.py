"""The door on a real socket: the handshake, the signature, its addresses, and refusing to start unsafe."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kept_rows import count, kept_bodies
from running_door import OLD_SECRET, PATH, SECRET, TOKENS, RunningDoor, head, running_door, signed

from store.database import Database
from whatsapp import signature
from whatsapp.signature import sign

BODY = b'{"object":"whatsapp_business_account","entry":[]}'


@pytest.fixture
async def door(sqlite_database: Database) -> AsyncIterator[RunningDoor]:
    async with running_door(sqlite_database) as running:
        yield running


def asked(token: str = TOKENS[0], mode: str = "subscribe", challenge: str = "1158201444") -> dict[str, str]:
    return {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": challenge}


@pytest.mark.parametrize("token", TOKENS)
async def test_the_challenge_comes_back_raw_for_every_token_of_ours(door: RunningDoor, token: str) -> None:
    answer = await door.client.get(PATH, params=asked(token, challenge="<b>1158&201444</b>"))
    assert answer.status_code == 200
    assert answer.text == "<b>1158&201444</b>"
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        asked("token-three"),
        asked(""),
        asked("token-one "),
        asked(mode="unsubscribe"),
        asked(mode=""),
        asked(challenge=""),
        asked(challenge="9" * 1001),
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.verify_token": TOKENS[0], "hub.challenge": "1"},
        {},
    ],
)
async def test_any_other_handshake_is_403_and_says_nothing_back(
    door: RunningDoor, query: dict[str, str]
) -> None:
    answer = await door.client.get(PATH, params=query)
    assert answer.status_code == 403
    assert "9" not in answer.text
    assert "token-one" not in answer.text


async def test_a_long_challenge_within_reason_is_echoed(door: RunningDoor) -> None:
    answer = await door.client.get(PATH, params=asked(challenge="9" * 1000))
    assert answer.text == "9" * 1000


async def test_tokens_and_signatures_are_compared_in_constant_time_all_of_them(
    door: RunningDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Any, Any]] = []
    honest = signature.hmac.compare_digest

    def spy(a: Any, b: Any) -> bool:
        compared.append((a, b))
        return honest(a, b)

    monkeypatch.setattr(signature.hmac, "compare_digest", spy)
    assert (await door.client.get(PATH, params=asked())).status_code == 200
    assert len(compared) == len(TOKENS)
    assert (await door.post(BODY)).status_code == 200
    assert len(compared) == len(TOKENS) + 2  # both secrets, although the first fits


async def test_each_endpoint_has_its_own_tokens_and_secrets(door: RunningDoor) -> None:
    shop = f"{PATH}/shop"
    assert (await door.client.get(shop, params=asked("shop-token"))).text == "1158201444"
    assert (await door.client.get(shop, params=asked())).status_code == 403
    assert (await door.post(BODY, shop, "shop-secret")).status_code == 200
    assert (await door.post(BODY, shop)).status_code == 401
    assert (await door.post(BODY, secret="shop-secret")).status_code == 401


@pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"{PATH}/shop", f"{PATH}/shop/"])
async def test_a_trailing_slash_makes_no_difference(door: RunningDoor, path: str) -> None:
    secret, token = ("shop-secret", "shop-token") if "shop" in path else (SECRET, TOKENS[0])
    assert (await door.post(BODY, path, secret)).status_code == 200
    assert (await door.client.get(path, params=asked(token))).status_code == 200


async def test_an_unknown_endpoint_is_404_for_both_calls_and_nothing_is_kept(
    door: RunningDoor, sqlite_database: Database
) -> None:
    assert (await door.post(BODY, f"{PATH}/cellar")).status_code == 404
    assert (await door.client.get(f"{PATH}/cellar", params=asked())).status_code == 404
    assert kept_bodies(sqlite_database) == []


@pytest.mark.parametrize(("secret", "label"), [(SECRET, "current"), (OLD_SECRET, "previous-1")])
async def test_every_secret_of_ours_fits_and_which_one_is_remembered(
    door: RunningDoor, sqlite_database: Database, secret: str, label: str
) -> None:
    assert (await door.post(BODY, secret=secret)).status_code == 200
    assert count(sqlite_database, f"webhooks WHERE secret = '{label}'") == 1
    assert door.figure("door_secret_used_total", secret=label) == 1


FLIPPED = bytes([BODY[0] ^ 1]) + BODY[1:]
SHA1 = {"X-Hub-Signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"}


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (BODY, {}, "header_missing"),
        (BODY, SHA1, "only_sha1"),
        (BODY, {"X-Hub-Signature-256": SHA1["X-Hub-Signature"]}, "no_secret_fits"),
        (BODY, {"X-Hub-Signature-256": ""}, "no_secret_fits"),
        (BODY, {"X-Hub-Signature-256": "sha256="}, "no_secret_fits"),
        (BODY, {"X-Hub-Signature-256": sign(SECRET, BODY)[:-1]}, "no_secret_fits"),
        (BODY, signed(BODY, "another app's"), "no_secret_fits"),
        (BODY, signed(BODY, ""), "no_secret_fits"),
        (FLIPPED, signed(BODY), "no_secret_fits"),
        (BODY + b"\n", signed(BODY), "no_secret_fits"),
    ],
)
async def test_what_is_not_signed_by_meta_is_401_counted_by_reason_and_not_kept(
    door: RunningDoor, sqlite_database: Database, body: bytes, headers: dict[str, str], reason: str
) -> None:
    answer = await door.client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert door.figure("door_signature_failures_total", reason=reason) == 1
    assert kept_bodies(sqlite_database) == []


async def test_one_flipped_bit_in_three_megabytes_is_noticed(
    door: RunningDoor, sqlite_database: Database
) -> None:
    body = os.urandom(3 * 1024 * 1024)
    flipped = body[:2_000_000] + bytes([body[2_000_000] ^ 4]) + body[2_000_001:]
    assert (await door.client.post(PATH, content=flipped, headers=signed(body))).status_code == 401
    assert (await door.post(body)).status_code == 200
    assert kept_bodies(sqlite_database) == [body]


async def test_a_chunked_body_is_kept_as_it_was_signed(door: RunningDoor, sqlite_database: Database) -> None:
    body = BODY * 2000
    reader, writer = await door.connect()
    writer.write(head(body, "Transfer-Encoding: chunked"))
    for at in range(0, len(body), 1733):
        part = body[at : at + 1733]
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
    writer.write(b"0\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    assert kept_bodies(sqlite_database) == [body]


async def test_nothing_else_is_served_on_the_port(door: RunningDoor) -> None:
    assert (await door.client.get("/healthz")).status_code == 200
    elsewhere = ("/", "/metrics", "/readyz", "/api/v1/messages", "/docs", "/openapi.json", "/webhooks")
    for path in (*elsewhere, "/webhooks/whatsapp/a/b", "/webhooks/whatsapp//", "/%2e%2e/etc/passwd"):
        for method in ("GET", "POST"):
            assert (await door.client.request(method, path)).status_code == 404, (method, path)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = await door.client.request(method, PATH)
        assert answer.status_code == 405, method
    assert "server" not in (await door.client.get("/healthz")).headers


def test_the_receiver_refuses_to_start_without_a_secret(sqlite_url: str, tmp_path: Path) -> None:
    environment = os.environ | {"WAMTRAIL_DATABASE_URL": sqlite_url, "WAMTRAIL_RECEIVER_BIND": "127.0.0.1:0"}
    for given in ({}, {"WAMTRAIL_APP_SECRETS": " , "}):
        done = subprocess.run(
            [sys.executable, "-m", "wamtrail", "run", "receiver"],
            env=environment | given,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "WAMTRAIL_APP_SECRETS" in done.stderr
