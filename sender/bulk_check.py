"""From rows of a list to messages: each checked as a single message is, the gates asked for all at once.

The sentence about a row of a spreadsheet names its column, not a place in a payload that nobody wrote.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sender.bulk_lines import Fault, Row
from sender.intake import storable
from sender.message_id import RANDOM_BYTES, message_id
from sender.payload_definition import shape
from sender.payload_problem import Problem, listing, member
from sender.prepare import Refused, prepare
from store import gates, numbers, templates
from store.bulk_claims import PRIORITY
from store.database import ReadTx
from store.records import NewSend
from store.templates import Translation

_VALUE = re.compile(r"/template/components/0/parameters/(\d+)(?:/(?:text|parameter_name))?")


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every row. `valid_for`: seconds; None is the default of a message."""

    bulk_run_id: str
    phone_number_id: str
    template: str | None = None
    language: str | None = None
    valid_for: float | None = None
    default_country: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    sends: list[NewSend]
    faults: list[Fault]


class Checker:
    """Checks chunk by chunk. `random(n)`: n random bytes, for the messages' ids."""

    def __init__(self, terms: Terms, random: Callable[[int], bytes]) -> None:
        self._terms, self._random = terms, random

    def check(self, tx: ReadTx, rows: Sequence[Row | Fault], now: float) -> Checked:
        """`now`: Unix seconds. In the rows' order."""
        faults = [_clean(one) for one in rows if isinstance(one, Fault)]
        known: dict[str, tuple[Translation, ...]] = {}
        country = numbers.standing(tx, [self._terms.phone_number_id])[self._terms.phone_number_id]
        sends: list[tuple[NewSend, Row]] = []
        for row in rows:
            if isinstance(row, Fault):
                continue
            try:
                sends.append((self._prepared(tx, row, known, country.default_country, now), row))
            except Refused as refused:
                faults.append(_clean(_fault(row, refused.problems)))
        taken: list[NewSend] = []
        for (new, row), verdict in zip(sends, gates.verdicts(tx, [new for new, _ in sends]), strict=True):
            if verdict.error is None:
                taken.append(replace(new, category=verdict.category))
            else:
                kind = verdict.about or "list"
                faults.append(
                    _clean(Fault(row.line, gates.sentence(verdict.error), row.to, row.reference, kind))
                )
        return Checked(taken, sorted(faults, key=lambda one: one.line))

    def _prepared(
        self,
        tx: ReadTx,
        row: Row,
        known: dict[str, tuple[Translation, ...]],
        country: str | None,
        now: float,
    ) -> NewSend:
        terms = self._terms
        name = member(member(row.body, "template"), "name")
        if storable(name) and name not in known:
            known[name] = templates.translations(tx, terms.phone_number_id, name)
        new = prepare(
            row.body,
            phone_number_id=terms.phone_number_id,
            message_id=message_id(now, self._random(RANDOM_BYTES)),
            now=now,
            reference=row.reference,
            valid_for=terms.valid_for,
            priority=PRIORITY,
            default_country=country or terms.default_country,
            known=known.get(name, ()) if isinstance(name, str) else (),
        )
        return replace(new, bulk_run_id=terms.bulk_run_id, row_number=row.line)


def wrong_columns(tx: ReadTx, terms: Terms, columns: Sequence[str], *, named: bool) -> str | None:
    """What is wrong with the columns of a CSV, going by the template's definition; None: nothing known."""
    if terms.template is None or not storable(terms.template):
        return None
    known = templates.translations(tx, terms.phone_number_id, terms.template)
    found = next((one for one in known if one.language == terms.language), None)
    asked = shape(found.components).body if found is not None and found.components is not None else None
    if asked is None:
        return None
    if named and set(columns) != set(asked):
        unknown, missing = sorted(set(columns) - set(asked)), sorted(set(asked) - set(columns))
        said = [f"no column for {listing(missing)}"] if missing else []
        said += [f"nothing in it is called {listing(unknown)}"] if unknown else []
        return f"The list does not fit the template {terms.template}: {' and '.join(said)}."
    if not named and len(columns) != len(asked):
        return (
            f"The list has {len(columns)} columns of values, but the template {terms.template} has"
            f" {len(asked)} variables: name the columns 1 to {len(asked)}."
            if asked
            else f"The template {terms.template} has no variables: take the columns {listing(columns)} out."
        )
    return None


def _fault(row: Row, problems: Sequence[Problem]) -> Fault:
    said = "; ".join(_said(one, row.columns).rstrip(".") for one in problems)
    return Fault(row.line, f"{said}.", row.to, row.reference)


def _said(problem: Problem, columns: tuple[str, ...]) -> str:
    match = _VALUE.fullmatch(problem.pointer)
    if match is None or int(match[1]) >= len(columns):
        return problem.message
    return f"column {columns[int(match[1])]}: {problem.message.partition(': ')[2]}"


def _clean(fault: Fault) -> Fault:
    """Without what a database cannot keep; what was typed may hold anything."""
    reference = fault.reference if storable(fault.reference) else None
    return replace(
        fault, to=_kept(fault.to), reference=reference and reference[:512], reason=_kept(fault.reason)
    )


def _kept(text: str) -> str:
    plain = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return plain[:4_000]
