"""A message outlives the webhooks that spoke of it: its pages say so."""

from sqlalchemy import text
from story_seeds import START, Seeds
from visiting import Visit


async def test_a_message_whose_webhooks_are_gone_says_so(seeds: Seeds) -> None:
    message_id = seeds.accepted("wamid.A")
    seeds.status("wamid.A", "sent", 2)
    with seeds.database.write() as tx:
        tx.run(text("DELETE FROM webhooks"))
    admin = Visit(seeds.database, START + 720)
    admin.user("asha", "admin")
    await admin.sign_in("asha")
    assert (await admin.get(f"/messages/{message_id}")).status_code == 200
    listed = await admin.get(f"/messages/{message_id}/bodies")
    assert listed.status_code == 200
    assert "is kept any more: they go by their age" in listed.text
    asked = await admin.post(f"/messages/{message_id}/bodies/show", {"webhook": "1"})
    assert asked.status_code == 404
