"""The health of the webhooks: figures out of the minutes, troubles with what to do, and who may see what."""

import pytest
from story_seeds import BANK, SHOP, START, Seeds
from visiting import Visit

from store import health_figures, minutes
from store.minutes import Seen
from support import charts, health_words

W = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OQA{:04}="
MINUTE = int(START // 60)


def saw(
    seeds: Seeds, ago: int, webhooks: int, *, number: str = "", endpoint: str = "", **more: object
) -> None:
    one = Seen(MINUTE - ago, endpoint, number, webhooks, last_good_at=(MINUTE - ago) * 60.0 + 5)
    for name, value in more.items():
        setattr(one, name, value)
    with seeds.database.write() as tx:
        minutes.write(tx, f"p{ago}", [one])


async def health(seeds: Seeds, *numbers: str, role: str = "support", at: float = 0.0) -> str:
    visiting = Visit(seeds.database, now=START + at)
    visiting.user(role=role, numbers=numbers)
    await visiting.sign_in()
    answer = await visiting.get("/health/webhooks")
    assert answer.status_code == 200
    return answer.text


async def test_an_installation_without_webhooks_says_how_to_get_them(seeds: Seeds):
    page = await health(seeds)
    assert "No webhook has come in yet. Register this address" in page


async def test_good_figures_stand_beside_metas_limits(seeds: Seeds):
    saw(seeds, 1, 600, answers={"200": 600}, buckets=[590, 5, 5, 0, 0, 0])
    page = await health(seeds)
    assert "Nothing to do" in page
    assert "2.0/s over the last five minutes" in page
    assert "half ≤ 5 ms (Meta's limit: 250 ms), p99 ≤ 25 ms, 0.0 % above 1 s" in page
    assert "55 s ago" in page
    assert '<svg class="bars"' in page
    assert ">600</td>" in page.split("As a table")[1]
    assert "style=" not in page


async def test_rejected_signatures_are_told_by_reason_with_what_to_do(seeds: Seeds):
    saw(
        seeds,
        1,
        9,
        answers={"200": 2, "401 no_secret_fits": 4, "401 only_sha1": 3},
        buckets=[9, 0, 0, 0, 0, 0],
    )
    page = await health(seeds)
    assert "7 webhooks of the last hour had no right signature" in page
    assert "no secret fits: another app" in page


async def test_slow_answers_are_a_trouble(seeds: Seeds):
    saw(seeds, 1, 100, answers={"200": 100}, buckets=[90, 0, 0, 0, 0, 10])
    assert "10.0 % of the answers took longer than one second" in await health(seeds)


async def test_a_number_that_sends_and_is_not_heard_of_is_told(seeds: Seeds):
    seeds.accepted(W.format(1), phone_number_id=SHOP)
    seeds.accepted(W.format(2), phone_number_id=BANK)
    saw(seeds, 0, 1, number=BANK)
    page = await health(seeds, at=1800)
    assert f"{SHOP} sends, but nothing is heard of it: 1 accepted" in page
    assert f"{BANK} sends" not in page


async def test_a_young_send_is_no_silence(seeds: Seeds):
    seeds.accepted(W.format(1))
    saw(seeds, 2, 1)
    assert "nothing is heard" not in await health(seeds, at=60)


async def test_somebody_limited_to_a_number_sees_only_its_figures(seeds: Seeds):
    seeds.accepted(W.format(1), phone_number_id=BANK)
    saw(seeds, 1, 10, number=SHOP)
    saw(seeds, 2, 20, number=BANK, endpoint="bank")
    saw(seeds, 3, 30, endpoint="bank")
    page = await health(seeds, SHOP, at=1800)
    assert SHOP in page
    assert BANK not in page
    assert "/webhooks/whatsapp/bank" not in page
    assert "Backlog" not in page


async def test_reporters_have_no_such_page(seeds: Seeds):
    visiting = Visit(seeds.database, now=START)
    visiting.user(role="reporter")
    await visiting.sign_in()
    assert (await visiting.get("/health/webhooks")).status_code == 404


def test_the_last_good_webhook_is_found_behind_rejected_ones(seeds: Seeds):
    saw(seeds, 90, 1)
    saw(seeds, 1, 5, last_good_at=None)
    with seeds.database.read() as tx:
        found = health_figures.subjects(tx)
        assert found == [("", "")]
        assert health_figures.last_good(tx, found) == {("", ""): (MINUTE - 90) * 60.0 + 5}


def test_lag_is_measured_on_the_newest_updates_and_never_below_zero(seeds: Seeds):
    with seeds.database.read() as tx:
        assert health_figures.lag(tx) is None
    seeds.stranger(W.format(1))
    with seeds.database.read() as tx:
        lag = health_figures.lag(tx)
    assert lag is not None
    assert lag.arrival_median == pytest.approx(0.5)
    assert lag.processed_p95 == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("buckets", "median", "p99"),
    [
        ([1, 0, 0, 0, 0, 0], 0.005, 0.005),
        ([50, 0, 0, 50, 0, 0], 0.005, 0.25),
        ([0, 0, 0, 0, 0, 3], None, None),
        ([0] * 6, None, None),
    ],
)
def test_quantiles_are_the_bound_of_their_bucket(buckets: list[int], median: float | None, p99: float | None):
    answers = health_figures.answers([Seen(1, "", buckets=buckets)])
    assert (answers.median, answers.p99) == (median, p99)


def test_no_answers_at_all_are_no_trouble():
    assert health_figures.answers([]).count == 0
    assert health_words.bound(None, 0) == "–"


@pytest.mark.parametrize(("rate", "words"), [(0.0, "0/min"), (0.05, "3/min"), (2.0, "2.0/s"), (41.2, "41/s")])
def test_rates_are_spelled_by_their_size(rate: float, words: str):
    assert health_words.rate(rate) == words


def test_a_chart_is_markup_that_escapes_its_label():
    drawn = charts.sparkline([0, 1, 4], '<script>"')
    assert "<script>" not in drawn
    assert drawn.count("<rect") == 2
    assert charts.bars([], "none").count("<rect") == 0
