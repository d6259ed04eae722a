"""Writes docs/messages.md out of the models: `python -m sender.message_docs` prints it.

Every type and sub-type with its limits, the rules that are no number, and an example that passes.
"""

import json
import sys

from sender.payload_examples import EXAMPLES
from sender.payload_interactive import FRAMES, Frame
from sender.payload_limits import ITEM, Limit, kinds, limits

_HEAD = """# Messages: types, limits, examples

This page is made from the models that check every message (`scripts/make-docs` writes it), so it cannot say
anything else than they do. `wamtrail send payload --check FILE` tells what is wrong with a payload, with the
place of each problem as a JSON pointer, and sends nothing.

For all types:

- `messaging_product` is `"whatsapp"`; `to` is a phone number with `+` and its country code (a national number
  is taken only when `WAMTRAIL_DEFAULT_COUNTRY` is set); `recipient` is a business-scoped user id, which is
  refused in `to`; a group's id stands in `to` beside `"recipient_type": "group"`.
- `biz_opaque_callback_data` has at most {callback} characters: the message's own id travels beside it.
- Keys that are not named here pass unchanged: Meta adds fields.
- Characters are counted as Unicode code points. In the tables, `[]` stands for each item of a list.
- "must be there" is said of a field where the object that holds it is given and is of that kind: a
  parameter of type `text` needs `text`, a card with a link needs `parameters.url`.
"""
_MEDIA = "Exactly one of `id` (a file that Meta holds) and `link` (http or https; a warning when not https)."
_NOTES: dict[str, tuple[str, ...]] = {
    "text": ("`preview_url` needs an http:// or https:// address with a host name in the body.",),
    "image": (_MEDIA,),
    "video": (_MEDIA,),
    "document": (_MEDIA,),
    "audio": (_MEDIA, "No caption."),
    "sticker": (_MEDIA, "No caption."),
    "contacts": ("Each name needs one more part beside `formatted_name`.",),
    "reaction": ("An empty `emoji` takes the reaction away.", "No `context`."),
    "pin": ("Groups only. `type` is `pin` or `unpin`.",),
    "template": (
        "A `button` component names its `sub_type`.",
        "When the template's definition is known (`wamtrail template import`), the number and names of the"
        " values, the kind of the header, the buttons' places and kinds, and the language are checked, too.",
    ),
    "interactive/button": ("Titles and ids of the buttons are different from each other.",),
    "interactive/list": (
        "With more than one section each has a title; ids of rows are different from each other.",
    ),
    "interactive/flow": (
        "Either `flow_id` or `flow_name`; `mode` is `draft` or `published`, `flow_action` is `navigate` or"
        " `data_exchange`.",
    ),
    "interactive/product_list": ("With more than one section each has a title.",),
    "interactive/carousel": (
        "All cards have the same kind of header (image or video) and the same kind and number of buttons;"
        " cards with products name one catalog.",
    ),
    "interactive/order_details": ("Older payloads carry `order_details` instead of an action; they pass.",),
}


def page() -> str:
    """The whole document."""
    (callback,) = [one for one in limits("text") if one.path == ("biz_opaque_callback_data",)]
    return "\n".join([_HEAD.format(callback=callback.most), *map(_section, kinds())])


def _section(kind: str) -> str:
    rows = [_row(one) for one in limits(kind) if _worth_saying(one)]
    notes = [f"- {note}" for note in (*_around(kind), *_NOTES.get(kind, ()))]
    example = json.dumps(EXAMPLES[kind], indent=2, ensure_ascii=False)
    table = ["| field | limit |", "| --- | --- |", *rows, ""] if rows else []
    parts = [f"## {kind}", "", *table, *notes, *([""] if notes else [])]
    return "\n".join([*parts, "```json", example, "```", ""])


def _worth_saying(limit: Limit) -> bool:
    return limit.path != ("biz_opaque_callback_data",) and (limit.needed or limit.most is not None)


def _row(limit: Limit) -> str:
    place = ".".join(limit.path).replace(f".{ITEM}", "[]")
    words = [_span(limit)] if limit.most is not None or limit.of == "items" else []
    if limit.needed:
        words.append("must be there")
    return f"| `{place}` | {', '.join(words)} |"


def _span(limit: Limit) -> str:
    of = f" {limit.of}" if limit.of else ""
    if limit.most is None:
        return f"at least {limit.least:,}{of}"
    if limit.least is None:
        return f"at most {limit.most:,}{of}"
    return f"{limit.least:,} to {limit.most:,}{of}"


def _around(kind: str) -> tuple[str, ...]:
    """What the frame of an interactive message takes."""
    frame = FRAMES.get(kind.removeprefix("interactive/"))
    if frame is None or "/" not in kind:
        return ()
    body = "Needs a body." if frame.body_needed else "The body may be left out."
    footer = "May have a footer." if frame.footer_allowed else "No footer."
    return (f"{_header(frame)} {body} {footer}",)


def _header(frame: Frame) -> str:
    if not frame.headers:
        return "No header."
    kinds_of_header = ", ".join(sorted(frame.headers))
    return f"{'Needs' if frame.header_needed else 'May have'} a header of type {kinds_of_header}."


if __name__ == "__main__":
    sys.stdout.write(page())
