"""The console as it is wired, over a database with messages of every fate, and its description."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from story_seeds import BANK, SHOP, START, Seeds

from reports import reports_api
from sender.desk import Desk
from store import rollups, search_follow
from support.house import House
from wamtrail import api_description, console

NOW = START + 3600
WRAPPER_SAID = '{"code": 131026, "title": "Message undeliverable", "fbtrace_id": "Awn"}'
HIDDEN = ("wamid.SHOP", "order-of-shop", SHOP)  # what a token of the bank's number never hears


@dataclass
class Described:
    """The app, what it says of itself, and seeds to make tokens with."""

    app: Starlette
    document: dict[str, Any]
    seeds: Seeds

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(path, method, operation) of each."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation


def described(seeds: Seeds, rates: console.Rates = console.UNLIMITED) -> Described:
    database = seeds.database
    desk = Desk(database, None, clock=time.time)
    house = House(database, lambda: NOW)
    description, its_page = api_description.routes(house, rates.read, rates.send)
    reports = reports_api.routes(database, ZoneInfo("UTC"), lambda: NOW)
    app = console.create(
        database, desk, health=(), more=[*reports, *description], pages=its_page, rates=rates
    )
    return Described(app, api_description.document(rates.read, rates.send), seeds)


def fill(seeds: Seeds) -> None:
    """Messages of every fate of two numbers, and the figures worked out."""
    seeds.accepted("wamid.SHOP.read", reference="order-of-shop", template="order_update", type="template")
    for status, at in (("sent", 2), ("delivered", 5), ("read", 9)):
        seeds.status("wamid.SHOP.read", status, at, phone_number_id=SHOP, pricing='{"billable": true}')
    seeds.accepted("wamid.SHOP.failed", at=20)
    seeds.failed("wamid.SHOP.failed", 25, phone_number_id=SHOP)
    seeds.accepted("wamid.SHOP.conflict", at=30)
    seeds.status("wamid.SHOP.conflict", "delivered", 31, phone_number_id=SHOP)
    seeds.failed("wamid.SHOP.conflict", 35, phone_number_id=SHOP)
    seeds.accepted("wamid.SHOP.group", at=40)
    seeds.status("wamid.SHOP.group", "read", 42, participant="919800000001", phone_number_id=SHOP)
    seeds.failed("wamid.SHOP.group", 43, participant="919800000002", phone_number_id=SHOP)
    seeds.status("wamid.SHOP.read", "held", 44, phone_number_id=SHOP)  # a word that is not known
    refused = seeds.send(at=50, reference="order-of-shop")
    seeds.ended(refused, "refused", at=51, http_status=400, error=WRAPPER_SAID, refused_by="meta")
    unknown = seeds.send(at=60)
    seeds.ended(unknown, "unknown", at=61)
    seeds.send(at=70)
    seeds.accepted("wamid.BANK.sent", at=80, phone_number_id=BANK, reference="order-of-bank")
    seeds.status("wamid.BANK.sent", "sent", 82, phone_number_id=BANK)
    seeds.stranger("wamid.BANK.stranger", at=90)
    while search_follow.step(seeds.database):
        pass
    for _ in range(5):
        rollups.step(seeds.database, ZoneInfo("UTC"), NOW)
