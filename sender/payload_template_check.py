"""A template message against the definition of its template: what Meta would refuse with 132000, 132001 or
132012 is found here, before it leaves. Pure; what the definition does not tell is not asked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sender.payload_definition import MEDIA_HEADERS, Button, Shape, named, shape
from sender.payload_problem import Path, Problem, listing, member, objects, problem, word
from store.templates import Translation

# The sub_type of the message's component for each kind of button. Others are Meta's affair.
_SUB_TYPES = {
    "quick_reply": ("quick_reply",),
    "url": ("url",),
    "otp": ("url", "copy_code"),
    "copy_code": ("copy_code",),
    "flow": ("flow",),
    "catalog": ("catalog",),
    "mpm": ("mpm",),
    "voice_call": ("voice_call",),
    "order_details": ("order_details",),
}
_HERE: Path = ("template",)


def template_problems(body: dict[str, Any], known: Sequence[Translation]) -> tuple[Problem, ...]:
    """What is wrong with this payload, going by what is known of its template's translations."""
    found = translation_of(body, known)
    if found is None:
        return tuple(_unknown_language(known))
    problems = list(_recipient(body, found))
    if found.components is not None:
        asked = shape(found.components)
        components = member(body.get("template"), "components")
        problems += _components(components, asked, (*_HERE, "components"))
    return tuple(problems)


def translation_of(body: dict[str, Any], known: Sequence[Translation]) -> Translation | None:
    """The translation that the payload names."""
    code = member(member(body.get("template"), "language"), "code")
    return next((one for one in known if one.language == code), None)


def _unknown_language(known: Sequence[Translation]) -> Iterator[Problem]:
    """Only an import tells all languages; from webhooks alone nobody knows which others there are."""
    languages = [one.language for one in known if one.status != "DELETED"]
    if any(one.imported for one in known) and languages:
        place = (*_HERE, "language", "code")
        sentence = f"the template has no such translation; it has {listing(languages)}"
        yield problem(place, f"{sentence}. If it is new, import the definitions again")


def _recipient(body: dict[str, Any], found: Translation) -> Iterator[Problem]:
    if found.category == "AUTHENTICATION" and body.get("to") is None and body.get("recipient") is not None:
        yield problem(
            ("recipient",),
            "authentication templates go to phone numbers only; give the number in `to`",
        )


def _components(components: object, asked: Shape, path: Path) -> Iterator[Problem]:
    """One message's components, or one card's."""
    given = [(index, word(one.get("type")), one) for index, one in objects(components)]
    header = next(((index, one) for index, kind, one in given if kind == "header"), None)
    body = next(((index, one) for index, kind, one in given if kind == "body"), None)
    buttons = [(index, one) for index, kind, one in given if kind == "button"]
    carousel = next(((index, one) for index, kind, one in given if kind == "carousel"), None)
    yield from _header(header, asked, path)
    if asked.body is not None:
        yield from _values(body, asked.body, "body", path)
    if asked.buttons is not None:
        yield from _buttons(buttons, asked.buttons, path)
    if asked.cards:
        yield from _cards(carousel, asked.cards, path)


_Found = tuple[int, dict[str, Any]] | None


def _header(found: _Found, asked: Shape, path: Path) -> Iterator[Problem]:
    if asked.header == "text":
        yield from _values(found, asked.header_variables, "header", path)
    elif asked.header in MEDIA_HEADERS:
        kinds = [word(one.get("type")) for _, one in objects(_parameters(found))]
        if kinds != [asked.header]:
            place = path if found is None else (*path, found[0], "parameters")
            sentence = f"the template's header is of kind {asked.header}; add a header component with one"
            yield problem(
                place, sentence if found is None else f"must be one parameter of type {asked.header}"
            )
    elif asked.header == "none" and found is not None and _parameters(found):
        yield problem((*path, found[0]), "the template has no header; take this component away")


def _values(found: _Found, asked: Sequence[str], what: str, path: Path) -> Iterator[Problem]:
    """The values of a text's variables: by place, or by name."""
    parameters = _parameters(found)
    if not parameters and asked:
        place = path if found is None else (*path, found[0], "parameters")
        yield problem(
            place, f"the template's {what} has {_counted(asked)}; give their values in a {what} component"
        )
        return
    place = (*path, found[0] if found else 0, "parameters")
    if named(asked):
        yield from _names(parameters, asked, place)
    elif len(parameters) != len(asked):
        yield problem(
            place, f"{_number(len(parameters), 'value')}, but the template's {what} has {_counted(asked)}"
        )


def _names(parameters: Sequence[Any], asked: Sequence[str], place: Path) -> Iterator[Problem]:
    seen: list[str] = []
    for index, one in enumerate(parameters):
        name = member(one, "parameter_name")
        sentence = None
        if name is None:
            sentence = f"missing; the template has {_counted(asked)}"
        elif name not in asked:
            sentence = f"the template has no such name; it has {listing(asked)}"
        elif name in seen:
            sentence = "is there already; each is given once"
        if sentence is not None:
            yield problem((*place, index, "parameter_name"), sentence)
        seen.append(name)
    missing = [one for one in asked if one not in seen]
    if missing and None not in seen:
        yield problem(place, f"no value for {listing(missing)}")


def _buttons(
    given: Sequence[tuple[int, dict[str, Any]]], asked: Sequence[Button], path: Path
) -> Iterator[Problem]:
    served: set[int] = set()
    for index, one in given:
        place = _place(one.get("index"))
        if place is None:
            return  # which button is meant nobody knows, so what is missing cannot be told either
        if place >= len(asked):
            has = f"has {_number(len(asked), 'button')}, counted from 0" if asked else "has no buttons"
            yield problem((*path, index, "index"), f"the template {has}")
            continue
        served.add(place)
        yield from _button(one, asked[place], (*path, index))
    for place, button in enumerate(asked):
        if button.variables and place not in served:
            yield problem(
                path, f"button {place} has a variable in its address; add a button component with its value"
            )


def _button(given: dict[str, Any], asked: Button, path: Path) -> Iterator[Problem]:
    sub_type, kinds = word(given.get("sub_type")), _SUB_TYPES.get(asked.kind)
    count = len(_parameters((0, given)))
    if kinds is not None and sub_type is not None and sub_type not in kinds:
        sentence = f"must be {' or '.join(kinds)}, as the template's button at this index"
        yield problem((*path, "sub_type"), sentence)
    elif asked.kind == "url" and count != len(asked.variables):
        has = "a variable" if asked.variables else "no variable"
        sentence = f"{_number(count, 'value')}, but the button's address has {has}"
        yield problem((*path, "parameters"), sentence)


def _cards(found: _Found, asked: Sequence[Shape], path: Path) -> Iterator[Problem]:
    cards = list(objects(member(found[1], "cards"))) if found else []
    if found is None:
        yield problem(
            path, f"the template is a carousel of {_number(len(asked), 'card')}; add a carousel component"
        )
        return
    here = (*path, found[0], "cards")
    # Of carousels of products two cards are defined and up to ten may be sent.
    of_media = all(one.header in MEDIA_HEADERS for one in asked)
    if of_media and len(cards) != len(asked):
        yield problem(here, f"{_number(len(cards), 'card')}, but the template has {len(asked)}")
        return
    for index, card in cards:
        wanted = asked[min(index, len(asked) - 1)]
        yield from _components(card.get("components"), wanted, (*here, index, "components"))


def _parameters(found: _Found) -> Sequence[Any]:
    parameters = found[1].get("parameters") if found else None
    return parameters if isinstance(parameters, list) else ()


def _place(index: object) -> int | None:
    if isinstance(index, str) and index.isdecimal() and len(index) < 3:
        return int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _counted(asked: Sequence[str]) -> str:
    if not asked:
        return "no variables"
    names = f" ({listing(asked)})" if named(asked) else ""
    return _number(len(asked), "variable") + names


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
