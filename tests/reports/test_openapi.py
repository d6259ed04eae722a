"""The API's description is true: what it says is taken is taken, what it says is answered is answered."""

import asyncio
import base64
from datetime import date
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from described_api import HIDDEN, Described, described, fill
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance
from story_seeds import BANK, PHONE, SHOP, START, Seeds

from reports.events import write_after
from reports.values import write_cursor
from sender import queue_request
from sender.payload_build import text
from store import tokens
from store.events import After
from store.tokens import ROLES
from wamtrail import api_description, console

EXAMPLES = {"sqlite": 25, "postgresql": 8}  # of each operation and mode
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
BODY = {"from": SHOP, "payload": text(f"+{PHONE}", "Hello")}
OPERATIONS = (
    "listMessages",
    "getMessage",
    "queueMessage",
    "listEvents",
    "getDeliveryReport",
    "getFailuresReport",
    "getLatencyReport",
    "getCostReport",
    "getDescription",
)
NAMES = st.sampled_from(["wamid.SHOP.read", "wamid.BANK.sent", "order-of-shop", "order-of-bank", "x"])
schemathesis.openapi.format("recipient", st.from_regex(r"\+91981234[0-9]{4}", fullmatch=True))
schemathesis.openapi.format("list-cursor", st.builds(write_cursor, st.floats(0, 2e9), NAMES))
schemathesis.openapi.format("date", st.dates(date(2024, 1, 1), date(2026, 11, 22)).map(date.isoformat))
FILLED = 18  # positions that `fill` gives
schemathesis.openapi.format("feed-cursor", st.integers(0, FILLED).map(lambda at: write_after(After(at))))


@pytest.fixture
def api(seeds: Seeds) -> Described:
    fill(seeds)
    return described(seeds)


@pytest.fixture
def loaded(api: Described) -> Any:
    """The description as the API serves it, with the app behind it."""
    headers = {"Authorization": f"Bearer {api.seeds.token('sender')}"}
    asked = {"with-security-parameters": False}  # tokens are ours to leave out, see below
    config = SchemathesisConfig.from_dict({"generation": asked})
    return schemathesis.openapi.from_asgi("/api/openapi.json", api.app, headers=headers, config=config)


def test_it_is_a_valid_description_of_every_operation(api: Described, loaded: Any):
    loaded.validate()
    assert {one["operationId"] for _, _, one in api.operations()} == set(OPERATIONS)
    assert loaded.raw_schema == api.document


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_as_described_whatever_is_asked(api: Described, loaded: Any, name: str):
    headers = {"Authorization": f"Bearer {api.seeds.token('admin')}"}
    examples = EXAMPLES["sqlite" if api.seeds.database.sqlite else "postgresql"]
    wrong = [] if name == "getDescription" else [GenerationMode.NEGATIVE]  # it takes nothing
    for mode in (GenerationMode.POSITIVE, *wrong):

        @settings(QUIET, max_examples=examples)
        @given(loaded.find_operation_by_id(name).as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            answer = case.call(headers=headers)
            left_out = [positive_data_acceptance] if beyond_schemas(answer) else []
            case.validate_response(answer, headers=headers, excluded_checks=left_out)

        ask()


def beyond_schemas(answer: Any) -> bool:
    """Refused for what no schema can tell: days in the wrong order, another key in the header, a payload."""
    if answer.status_code != 400:
        return False
    told = answer.json().get("errors", [])
    return bool(told) and all(
        one["pointer"].startswith(("/payload", "/valid_for", "/idempotency_key"))
        or one["detail"].startswith("The first day")
        for one in told
    )


def request(api: Described, path: str, method: str, token: str | None) -> httpx.Response:
    """One call; what must be there is put in."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = {"json": BODY} if method == "post" else {}

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as http:
            return await http.request(method, path.format(id="order-of-shop"), headers=headers, **body)

    return asyncio.run(ask())


def test_no_operation_answers_without_a_token_that_works(api: Described):
    revoked = api.seeds.token("admin")
    with api.seeds.database.write() as tx:
        tokens.revoke(tx, revoked.split("_")[1], START)
    for path, method, _ in api.operations():
        for token in (None, "", "wt_x", revoked, f"wt_{'0' * 12}_{'A' * 43}"):
            answer = request(api, path, method, token)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert_problem(api, answer)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_description_says_and_nothing_else(api: Described, role: str):
    token = api.seeds.token(role)
    for path, method, operation in api.operations():
        answer = request(api, path, method, token)
        if role in operation["x-roles"]:
            assert answer.status_code in (200, 202), (path, answer.text)
        else:
            assert answer.status_code == 403, path
            assert_problem(api, answer)


def test_a_token_of_one_number_hears_nothing_of_another(api: Described, loaded: Any):
    headers = {"Authorization": f"Bearer {api.seeds.token('reporter', BANK)}"}
    for name in set(OPERATIONS) - {"queueMessage", "getDescription"}:

        @settings(QUIET, max_examples=EXAMPLES["postgresql"])
        @given(loaded.find_operation_by_id(name).as_strategy(), NAMES)
        def ask(case: Any, typed: str) -> None:
            if case.path_parameters:
                case.path_parameters["id"] = typed
            case.query.pop("reference", None)
            answer = case.call(headers=headers)
            told = answer.text + decoded(answer.json().get("next"))
            assert not any(hidden in told for hidden in HIDDEN)
            if case.path_parameters and typed in ("wamid.SHOP.read", "order-of-shop"):
                assert answer.status_code == 404

        ask()


def decoded(cursor: str | None) -> str:
    return base64.urlsafe_b64decode(cursor).decode() if cursor else ""


def test_a_sender_of_one_number_may_not_queue_for_another(api: Described):
    answer = request(api, "/api/v1/messages", "post", api.seeds.token("sender", BANK))
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["pointer"] == "/from"


def test_addresses_and_methods_that_are_none_are_problems(api: Described):
    token = api.seeds.token("admin")
    for path in ("/api/nothing", "/api/v1", "/api/v1/reports/shoes", "/api/v1/messages/"):
        answer = request(api, path, "get", token)
        assert answer.status_code == 404
        assert_problem(api, answer)
    answer = request(api, "/api/v1/messages", "delete", token)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert_problem(api, answer)


def test_the_limits_that_it_tells_are_those_that_hold(seeds: Seeds):
    api = described(seeds, console.Rates(read=1, send=1))
    assert "1 calls a minute" in api.document["info"]["description"]
    reader, sender = seeds.token(), seeds.token("sender")
    for path, method, token in (("/api/v1/events", "get", reader), ("/api/v1/messages", "post", sender)):
        assert request(api, path, method, token).status_code in (200, 202)
        answer = request(api, path, method, token)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert_problem(api, answer)


def assert_problem(api: Described, answer: httpx.Response) -> None:
    """As the description says every error is."""
    assert answer.headers["content-type"] == "application/problem+json"
    schema = {"$ref": "#/components/schemas/Problem", "components": api.document["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(answer.json())


def test_every_status_of_an_operation_is_described():
    document = api_description.document()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"])
    assert "404" in document["paths"]["/api/v1/messages/{id}"]["get"]["responses"]
    assert "410" in document["paths"]["/api/v1/events"]["get"]["responses"]
    assert {"409", "413"} <= set(document["paths"]["/api/v1/messages"]["post"]["responses"])


def test_the_body_of_a_message_is_described_as_it_is_read():
    (content,) = api_description.document()["paths"]["/api/v1/messages"]["post"]["requestBody"][
        "content"
    ].values()
    assert tuple(content["schema"]["properties"]) == queue_request.KNOWN
    jsonschema_rs.Draft202012Validator(content["schema"]).validate(content["example"])
    asked, problems = queue_request.read(content["example"], None)
    assert asked is not None
    assert not problems
