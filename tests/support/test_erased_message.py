"""What people and jobs see of a message whose recipient was erased."""

import io

from rich.console import Console
from story_seeds import PHONE, START, Seeds
from visiting import Visit

from store import again, erasure
from store.erasure import Asked
from wamtrail.erase import words
from wamtrail.show import render_story

WAMID = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OTAxAA=="
SENTENCE = "This person was erased on 2026-11-22"


def erased(seeds: Seeds) -> str:
    message_id = seeds.accepted(WAMID, reference="order-77")
    seeds.status(WAMID, "sent", 2)
    seeds.status(WAMID, "delivered", 14)
    asked = Asked(PHONE.removeprefix("+"), "masked", START + 600, "2026-11-22", b"s" * 32)
    erasure.erase(seeds.database, asked, words(), lambda _: None)
    return message_id


async def test_the_page_opens_and_says_that_the_person_was_erased(seeds: Seeds):
    message_id = erased(seeds)
    visit = Visit(seeds.database, START + 720)
    visit.user("asha", "support", ())
    await visit.sign_in("asha")
    answer = await visit.get(f"/messages/{message_id}")
    assert answer.status_code == 200
    for text in (SENTENCE, "Delivered 12 s after sending", "order-77"):
        assert text in answer.text
    assert PHONE.removeprefix("+") not in answer.text


def test_the_terminal_says_it_too(seeds: Seeds):
    out = io.StringIO()
    render_story(seeds.story(erased(seeds)), Console(file=out, width=200), reveal=True)
    assert SENTENCE in out.getvalue()
    assert PHONE.removeprefix("+") not in out.getvalue()


def test_nothing_is_sent_to_them_again(seeds: Seeds):
    message_id = erased(seeds)
    with seeds.database.read() as tx:
        why, _ = again.standing(tx, message_id)
    assert why == "Whom it was sent to was erased."
