"""The page of reports: charts with a table each, nothing inline, only the numbers that the viewer may see."""

import re
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest
from story_seeds import START, Seeds
from visiting import Visit

from support import report_charts, report_figures, reports_page
from support.house import House

DAILY = {
    "accepted": 90,
    "sent": 80,
    "delivered": 70,
    "read": 40,
    "played": 0,
    "read_only": 40,
    "delivered_only": 30,
    "sent_only": 10,
    "waiting": 5,
    "unknown": 1,
    "cancelled": 0,
    "failed": 5,
    "refused": 2,
}
FAILURE = {
    "code": "131026",
    "meaning": "<b>Nobody</b> there",
    "owner": "recipient",
    "messages": 5,
    "share": 1.0,
    "before": 1_200,
}
STEP = {"step": "sent to delivered", "messages": 70, "p50": 1.97, "p90": 9.0, "p99": 4000.0}
STEP |= {"within_minute": 0.9, "within_hour": 0.99, "within_day": 1.0}


class Visited:
    """The page over reports that are given."""

    def __init__(self, seeds: Seeds, **rows: list[dict[str, Any]]) -> None:
        self.asked: list[Any] = []
        self.rows = rows
        self.sentences = ["Still moving: 15."]
        self.visit = Visit(seeds.database, now=START)
        house = House(seeds.database, lambda: START, report=self.report)
        self.visit.more = reports_page.routes(house)
        self.visit.house = house

    def report(
        self, kind: str, since: date, until: date, by: tuple[str, ...], numbers: tuple[str, ...]
    ) -> Any:
        self.asked.append((kind, since, until, by, numbers))
        rows = [{"day": until.isoformat(), **one} if "day" in by else one for one in self.rows.get(kind, [])]
        return {"zone": "UTC", "rows": rows, "sentences": self.sentences}

    async def page(
        self, path: str = "/reports", role: str = "reporter", numbers: tuple[str, ...] = ()
    ) -> str:
        self.visit.user(role=role, numbers=numbers)
        await self.visit.sign_in()
        answer = await self.visit.get(path)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def full(seeds: Seeds) -> Visited:
    return Visited(seeds, delivery=[DAILY], failures=[FAILURE], latency=[STEP])


async def test_a_reporter_sees_four_charts_each_with_its_table(full: Visited) -> None:
    page = await full.page()
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.DOTALL)
    assert len(charts) == 4
    for chart in charts:
        assert ElementTree.fromstring(chart).attrib["aria-label"]
    assert page.count(' as a table" tabindex="0">') == 4
    assert "Funnel: accepted 90, sent 80, delivered 70, read 40" in page
    assert "77.8 %" in page
    assert "<td>1,200</td>" in page
    assert page.count("Still moving: 15.") == 1  # though each report says so
    assert "2.0 s" in page
    assert "1 h 6 min" in page


async def test_what_is_printed_is_whole_for_nothing_is_folded(full: Visited) -> None:
    page = await full.page("/reports?days=90")
    assert "<details" not in page
    (days,) = re.findall(r"<caption[^>]*>Statuses over time</caption>.*?</table>", page, re.DOTALL)
    assert days.count('<th scope="row">') == 90


async def test_nothing_is_inline_and_words_of_others_are_escaped(full: Visited) -> None:
    page = await full.page()
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<b>Nobody" not in page
    assert "&lt;b&gt;Nobody" in page


async def test_only_the_numbers_of_the_viewer_are_asked_for(full: Visited) -> None:
    await full.page("/reports?days=30", role="support", numbers=("100", "200"))
    assert {one[4] for one in full.asked} == {("100", "200")}
    assert {(one[2] - one[1]).days for one in full.asked} == {29}
    assert [(one[0], one[3]) for one in full.asked] == [
        ("delivery", ("day",)),
        ("failures", ()),
        ("latency", ()),
    ]


async def test_only_long_words_are_broken_into_lines(full: Visited) -> None:
    full.rows["failures"][0]["meaning"] = "Nobody is there, " * 3
    page = await full.page()
    assert re.findall(r'<td class="words">(.*?)</td>', page) == ["Nobody is there, " * 3]


def test_names_of_bars_have_room_for_their_words() -> None:
    steps = ("sent to delivered", "delivered to read", "accepted to sent (two clocks, ± 1 s)")
    figure = report_figures.latency({"rows": [{**STEP, "step": step} for step in steps]})
    names = [
        one.text for one in ElementTree.fromstring(figure.chart).iter("text") if "end" in one.attrib["class"]
    ]
    assert names[4:] == ["half: accepted to sent", "90 %: accepted to sent"]
    assert not any("…" in str(name) for name in names)


async def test_an_empty_period_says_so(seeds: Seeds) -> None:
    page = await Visited(seeds).page()
    assert "No message in this period." in page
    assert "<svg" not in page


def test_what_was_cancelled_is_neither_waiting_nor_unknown() -> None:
    day = date(2027, 1, 15)
    figure = report_figures.over_time({"rows": [{"day": day, **DAILY, "cancelled": 3}]}, day, day)
    told = dict(zip(figure.head, figure.rows[0], strict=True))
    assert told["waiting or unknown"] == "6"
    assert told["failed, refused or cancelled"] == "10"


def test_a_period_that_is_not_offered_is_the_shortest() -> None:
    today = date(2027, 1, 15)
    for asked in ("", "8", "-1", "x", "٣٠", "999999999999"):
        assert report_figures.period(asked, today) == (7, date(2027, 1, 9), today)
    assert report_figures.period("90", today)[0] == 90


def test_every_day_of_the_period_has_its_place_and_bars_stay_in_the_drawing() -> None:
    answer = {"rows": [{"day": "2027-01-10", **DAILY}, {"day": date(2027, 1, 12), **DAILY, "failed": 900}]}
    figure = report_figures.over_time(answer, date(2027, 1, 9), date(2027, 1, 15))
    assert [row[0] for row in figure.rows][::-1] == [f"2027-01-{day:02}" for day in range(9, 16)]
    for rect in ElementTree.fromstring(figure.chart).iter("rect"):
        x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0 <= y + 0.02
        assert x + width <= report_charts.WIDTH + 0.1
        assert y + height <= report_charts.HEIGHT + 0.1


def test_bars_without_any_message_have_no_width() -> None:
    chart = ElementTree.fromstring(report_charts.lying([("none", 0, "0")], "nothing"))
    assert [rect.attrib["width"] for rect in chart.iter("rect")] == ["0.0"]
