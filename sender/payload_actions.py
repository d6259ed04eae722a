"""The actions of interactive messages: buttons, lists, links, flows, products, requests, orders.

Meta's pages: messages/interactive-*-messages and reference/whatsapp-business-phone-number/message-api.
"""

from typing import Annotated

from pydantic import Field

from sender.payload_other import Filled
from sender.payload_problem import Part

Label = Annotated[str, Field(min_length=1, max_length=20)]
SectionTitle = Annotated[str, Field(max_length=24)]


class Action(Part):
    """An action whose inside is checked by rules alone."""


class Reply(Part):
    id: Annotated[str, Field(min_length=1, max_length=256)]
    title: Label


class Button(Part):
    type: Filled
    reply: Reply


class Buttons(Part):
    buttons: Annotated[list[Button], Field(min_length=1, max_length=3)]


class Row(Part):
    id: Annotated[str, Field(min_length=1, max_length=200)]
    title: Annotated[str, Field(min_length=1, max_length=24)]
    description: Annotated[str, Field(max_length=72)] | None = None


class Section(Part):
    title: SectionTitle | None = None
    rows: list[Row]


class ListAction(Part):
    button: Label
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]


class Link(Part):
    display_text: Label
    url: Filled


class LinkAction(Part):
    name: Filled
    parameters: Link


class Flow(Part):
    flow_message_version: Filled
    flow_cta: Filled
    flow_id: Filled | None = None
    flow_name: Filled | None = None
    flow_token: str | None = None
    mode: str | None = None
    flow_action: str | None = None


class FlowAction(Part):
    name: Filled
    parameters: Flow


class Product(Part):
    product_retailer_id: Filled


class ProductAction(Product):
    catalog_id: Filled


class ProductSection(Part):
    title: SectionTitle | None = None
    product_items: Annotated[list[Product], Field(min_length=1)]


class ProductListAction(Part):
    catalog_id: Filled
    sections: Annotated[list[ProductSection], Field(min_length=1, max_length=10)]


class Thumbnail(Part):
    thumbnail_product_retailer_id: Filled | None = None


class CatalogAction(Part):
    name: Filled
    parameters: Thumbnail | None = None


class NamedAction(Part):
    name: Filled


class Address(Part):
    country: Filled


class AddressAction(NamedAction):
    parameters: Address


class Call(Part):
    display_text: Label | None = None
    ttl_minutes: int | None = None
    payload: str | None = None


class CallAction(NamedAction):
    parameters: Call | None = None


class Amount(Part):
    value: int
    offset: int


class Order(Part):
    reference_id: Filled
    type: Filled
    currency: Filled
    total_amount: Amount
    order: Action


class OrderState(Part):
    reference_id: Filled
    order: Action
