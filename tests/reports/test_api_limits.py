"""What every call of the API has around it: a rate for each token, packing, methods, a patience, pointers."""

import gzip
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from story_seeds import PHONE, Seeds

from reports import access, reports_api
from reports import events as events_api
from reports.api import create
from reports.throttle import MOST, PERIOD, Throttle
from store.errors import TooSlow

KINDS = ("delivery", "failures", "latency", "cost")
READ = (
    "/api/v1/messages",
    "/api/v1/messages/x",
    "/api/v1/events",
    *(f"/api/v1/reports/{one}" for one in KINDS),
)


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def served(seeds: Seeds, rate: int = 0, clock: Hand | None = None, more: Sequence[Route] = ()) -> Starlette:
    reports = reports_api.routes(seeds.database, ZoneInfo("UTC"), lambda: 1_800_000_000.0)
    throttle = Throttle(rate, clock or Hand())
    return Starlette(routes=[create(seeds.database, [*reports, *more], throttle=throttle)])


async def ask(app: Starlette, path: str, token: str, method: str = "GET", **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity", **more.pop("headers", {})}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as http:
        return await http.request(method, path, headers=headers, **more)


@pytest.mark.parametrize("path", READ)
async def test_a_token_that_asks_too_often_is_told_when_to_ask_again(seeds: Seeds, path: str):
    clock, token = Hand(), seeds.token()
    app = served(seeds, rate=2, clock=clock)
    first = await ask(app, path, token)
    assert first.status_code in (200, 404)
    assert first.headers["ratelimit-policy"] == '"token";q=2;w=60'
    assert first.headers["ratelimit"] == '"token";r=1;t=30'
    await ask(app, path, token)
    refused = await ask(app, path, token)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["ratelimit"] == '"token";r=0;t=60'
    clock.at += 30
    assert (await ask(app, path, token)).status_code in (200, 404)
    assert (await ask(app, path, token)).status_code == 429


async def test_each_token_has_a_rate_of_its_own_and_a_forbidden_call_counts(seeds: Seeds):
    app, sender, reporter = served(seeds, rate=1), seeds.token("sender"), seeds.token()
    assert (await ask(app, READ[0], sender)).status_code == 403
    assert (await ask(app, READ[0], sender)).status_code == 429
    assert (await ask(app, READ[0], reporter)).status_code == 200


async def test_without_a_rate_nothing_is_counted(seeds: Seeds):
    app, token = served(seeds), seeds.token()
    for _ in range(5):
        answer = await ask(app, READ[0], token)
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


@given(st.integers(1, 50), st.lists(st.floats(0, 90), max_size=150))
def test_no_minute_holds_more_than_twice_the_rate_and_rest_gives_all_back(rate: int, pauses: list[float]):
    clock = Hand()
    throttle = Throttle(rate, clock)
    free: list[float] = []
    for pause in pauses:
        clock.at += pause
        taken = throttle.take("t")
        if not taken.wait:
            free.append(clock.at)
            assert 0 <= taken.left < rate
        else:
            assert taken.left == 0
            clock.at += taken.wait
            assert not throttle.take("t").wait
            free.append(clock.at)
    assert all(sum(at <= one < at + PERIOD for one in free) <= 2 * rate + 1 for at in free)
    clock.at += 2 * PERIOD
    assert throttle.take("t").left == rate - 1


def test_memory_is_bounded_whoever_calls():
    clock = Hand()
    throttle = Throttle(10, clock)
    for one in range(3 * MOST):
        throttle.take(f"t{one}")
    assert len(throttle._full_at) <= MOST
    clock.at += 2 * PERIOD
    for one in range(MOST + 1):
        throttle.take(f"u{one}")
    assert not any(one.startswith("t") for one in throttle._full_at)


async def test_large_answers_are_packed_for_those_who_take_it(seeds: Seeds):
    for at in range(20):
        seeds.send(at=float(at))
    app, token = served(seeds), seeds.token()
    plain = await ask(app, READ[0], token)
    assert "content-encoding" not in plain.headers
    packed = await ask(app, READ[0], token, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert len(gzip.compress(plain.content)) < len(plain.content)
    small = await ask(app, "/api/v1/messages/x", token, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_what_only_reads_takes_no_other_method(seeds: Seeds, path: str, method: str):
    answer = await ask(served(seeds), path, seeds.token("admin"), method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json()["status"] == 405


async def test_an_address_of_several_routes_tells_all_its_methods(seeds: Seeds):
    async def post(_request: Request) -> Response:
        return JSONResponse({})

    app = served(seeds, more=[Route("/v1/messages", post, methods=["POST"])])
    answer = await ask(app, READ[0], seeds.token(), "DELETE")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", [one for one in READ if not one.endswith("/x")])
async def test_a_sender_may_not_read_lists_events_and_reports(seeds: Seeds, path: str):
    answer = await ask(served(seeds), path, seeds.token("sender"))
    assert answer.status_code == 403
    assert "sender" in answer.json()["detail"]


@pytest.mark.parametrize("path", READ)
async def test_an_unknown_parameter_is_refused_with_a_pointer_to_it(seeds: Seeds, path: str):
    answer = await ask(served(seeds), path, seeds.token(), params={"a/b~": "1"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["pointer"]) == ("a/b~", "/a~1b~0")
    assert error["detail"]


@pytest.mark.parametrize("value", ["1_0", " 5", "+5", "5.0", "٥", "1e1", ""])
@pytest.mark.parametrize("path", [READ[0], READ[2]])
async def test_a_whole_number_is_digits_alone(seeds: Seeds, path: str, value: str):
    answer = await ask(served(seeds), path, seeds.token(), params={"limit": value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/limit"


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"since": "2027-02-01", "until": "2027-01-01"}, "since"),
        ({"since": "2300-01-01"}, "since"),
        ({"since": "2001-01-01"}, "since"),
        ({"by": ""}, "by"),
        ({"by": "day,day"}, "by"),
        ({"since": "20270101"}, "since"),
        ({"until": "0.5"}, "until"),
    ],
)
async def test_a_question_that_no_report_answers_points_at_what_is_wrong(
    seeds: Seeds, asked: dict[str, str], wrong: str
):
    answer = await ask(served(seeds), "/api/v1/reports/cost", seeds.token(), params=asked)
    assert answer.status_code == 400
    assert [one["pointer"] for one in answer.json()["errors"]] == [f"/{wrong}"]


async def test_a_period_that_is_left_to_the_report_can_be_asked_for_again(seeds: Seeds):
    app, token, path = served(seeds), seeds.token(), "/api/v1/reports/delivery"
    told = (await ask(app, path, token, params={"until": "2000-01-05"})).json()
    asked = {name: told[name] for name in ("since", "until")}
    assert (await ask(app, path, token, params=asked)).json()["since"] == "2000-01-01"


@pytest.mark.parametrize("path", READ)
async def test_no_answer_is_kept_and_none_has_its_type_guessed(seeds: Seeds, path: str):
    for token in (seeds.token(), "wt_wrong"):
        answer = await ask(served(seeds), path, token)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", READ)
async def test_a_slow_database_is_a_problem_and_no_hang(seeds: Seeds, path: str, monkeypatch):
    token = seeds.token()
    patience = []

    def slow(**asked: float) -> None:
        patience.append(asked["patience"])
        raise TooSlow

    monkeypatch.setattr(seeds.database, "read", slow)
    answer = await ask(served(seeds), path, token)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert patience == [access.PATIENCE]


async def test_a_search_that_cannot_be_noted_in_time_is_a_problem_and_shows_nothing(
    seeds: Seeds, monkeypatch
):
    token = seeds.token()
    seeds.send(reference="order-1")

    def slow(**asked: float) -> None:
        assert asked["patience"] == access.PATIENCE
        raise TooSlow

    monkeypatch.setattr(seeds.database, "write", slow)
    answer = await ask(served(seeds), READ[0], token, params={"to": f"+{PHONE}"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "order-1" not in answer.text


@pytest.mark.parametrize("path", READ)
async def test_every_read_behind_a_call_is_given_a_patience(seeds: Seeds, path: str, monkeypatch):
    token, read, patience = seeds.token(), seeds.database.read, []

    def noted(**asked: float) -> Any:
        patience.append(asked["patience"])
        return read(**asked)

    monkeypatch.setattr(seeds.database, "read", noted)
    assert (await ask(served(seeds), path, token)).status_code in (200, 404)
    assert patience == [access.PATIENCE, access.PATIENCE]


async def test_a_fault_of_ours_is_a_problem_and_its_text_reaches_no_log(seeds: Seeds, capsys):
    async def broken(_request: Request) -> Response:
        raise ValueError("+919812340001")

    app = served(seeds, more=[Route("/v1/broken", broken)])
    with structlog.testing.capture_logs() as logged:
        answer = await ask(app, "/api/v1/broken", seeds.token())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (line,) = logged
    assert line["error"] == "ValueError"
    assert line["correlation"] in answer.json()["detail"]
    assert line["place"].endswith(tuple("0123456789"))
    assert "9812340001" not in f"{logged}{answer.text}{capsys.readouterr()}"


async def test_a_statement_that_takes_too_long_is_stopped(seeds: Seeds, monkeypatch):
    counting = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)"
        " SELECT count(*) FROM n"
    )
    slow = counting if seeds.database.sqlite else "SELECT pg_sleep(60)"
    monkeypatch.setattr(events_api, "PATIENCE", 0.05)
    monkeypatch.setattr(events_api.events, "page", lambda tx, *_asked, **_more: tx.all(text(slow)))
    answer = await ask(served(seeds), "/api/v1/events", seeds.token())
    assert answer.status_code == 503
    assert answer.json()["title"] == "Too slow"
