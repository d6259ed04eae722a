"""What is known of templates. Each kind of word (status, category, quality, components) keeps the newest.

Words come from webhooks and from imports, in any order and any number of copies. The time decides; in one
second the greater word does, and APPROVED is the least of Meta's words: a stop beats a go.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from store.bulk import BIGINT, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.records import TemplateWord

_KEY = ("waba_id", "name", "language")
_WORDS: dict[str, tuple[str, ...]] = {  # what is told together: the time, the word, what belongs to it
    "status": ("status_at", "status", "reason", "source"),
    "category": ("category_at", "category"),
    "quality": ("quality_at", "quality"),
    "components": ("components_at", "components"),
}
_COLUMNS = (*_KEY, *(column for told in _WORDS.values() for column in told), "imported")


def _newer(columns: tuple[str, ...]) -> str:
    excluded = ", ".join(f"excluded.{column}" for column in columns)
    known = ", ".join(f"templates.{column}" for column in columns)
    return ", ".join(
        f"{column} = CASE WHEN ({excluded}) > ({known}) THEN excluded.{column} ELSE templates.{column} END"
        for column in columns
    )


_WRITE = Bulk(
    table="templates",
    columns=tuple(
        (name, BIGINT if name.endswith("_at") or name == "imported" else TEXT) for name in _COLUMNS
    ),
    conflict=(
        "ON CONFLICT (waba_id, name, language) DO UPDATE SET "
        + ", ".join(_newer(told) for told in _WORDS.values())
        + ", imported = CASE WHEN excluded.imported > templates.imported THEN 1 ELSE templates.imported END"
    ),
)


@dataclass(frozen=True, slots=True)
class Translation:
    """One translation as far as it is known. Unknown words are '', unknown times 0 (Unix seconds)."""

    name: str
    language: str
    waba_id: str = ""
    status: str = ""
    reason: str = ""
    status_at: int = 0
    source: str = ""
    category: str = ""
    category_at: int = 0
    quality: str = ""
    quality_at: int = 0
    components: tuple[Any, ...] | None = None  # Meta's list
    components_at: int = 0
    imported: bool = False


def record(tx: WriteTx, words: Iterable[TemplateWord]) -> None:
    """Write down what was said about templates."""
    rows: dict[tuple[str, ...], dict[str, tuple[Any, ...]]] = {}
    imported = set()
    for one in words:
        key = (one.waba_id, one.name, one.language)
        told = (one.occurred_at, one.value, one.reason, one.source)[: len(_WORDS[one.about])]
        known = rows.setdefault(key, {})
        known[one.about] = max(told, known.get(one.about, told))
        if one.source == "person":
            imported.add(key)
    _WRITE.run(tx, [_row(key, rows[key], key in imported) for key in sorted(rows)])


def _row(key: tuple[str, ...], told: dict[str, tuple[Any, ...]], imported: bool) -> tuple[Any, ...]:
    unsaid = {about: (0, *[""] * (len(columns) - 1)) for about, columns in _WORDS.items()}
    return (*key, *(value for about in _WORDS for value in told.get(about, unsaid[about])), int(imported))


def later_than(tx: ReadTx, words: Iterable[TemplateWord]) -> list[Translation]:
    """Those of which something later is known than the statuses among these words say."""
    statuses = {(one.name, one.language): one for one in words if one.about == "status"}
    waba_id = next((one.waba_id for one in statuses.values()), "")
    found: list[Translation] = []
    for name in sorted({name for name, _ in statuses}):
        for one in merged(of_account(tuple(listed(tx, name)), waba_id or None)):
            said = statuses.get((name, one.language))
            if said is not None and one.status_at > said.occurred_at and one.status != said.value:
                found.append(one)
    return found


def translations(tx: ReadTx, phone_number_id: str, name: str) -> tuple[Translation, ...]:
    """All known translations of a template, as the account of this sending number has it."""
    rows = tx.all(
        text("SELECT * FROM templates WHERE name = :name ORDER BY language, waba_id"), {"name": name}
    )
    if not rows:
        return ()
    waba_id = tx.value(
        text("SELECT waba_id FROM numbers WHERE phone_number_id = :number"), {"number": phone_number_id}
    )
    return merged(of_account(tuple(map(_translation, rows)), waba_id))


def of_account(found: tuple[Translation, ...], waba_id: str | None) -> tuple[Translation, ...]:
    """Without other accounts' templates. When it is not known whose number it is, and several accounts have
    a template of this name, only what was imported without an account counts."""
    accounts = {one.waba_id for one in found} - {""}
    if waba_id is None and len(accounts) == 1:
        waba_id = accounts.pop()
    return tuple(one for one in found if one.waba_id in ("", waba_id))


def merged(found: Iterable[Translation]) -> tuple[Translation, ...]:
    """What an import without an account said, and what is said about the account's own, as one."""
    by_language: dict[str, list[Translation]] = {}
    for one in found:
        by_language.setdefault(one.language, []).append(one)
    return tuple(_newest(same) for _, same in sorted(by_language.items()))


def _newest(same: list[Translation]) -> Translation:
    status = max(same, key=lambda one: (one.status_at, one.status, one.reason, one.source))
    category = max(same, key=lambda one: (one.category_at, one.category))
    quality = max(same, key=lambda one: (one.quality_at, one.quality))
    components = max(same, key=lambda one: (one.components_at, one.waba_id))
    return Translation(
        name=status.name,
        language=status.language,
        waba_id=max(one.waba_id for one in same),
        status=status.status,
        reason=status.reason,
        status_at=status.status_at,
        source=status.source,
        category=category.category,
        category_at=category.category_at,
        quality=quality.quality,
        quality_at=quality.quality_at,
        components=components.components,
        components_at=components.components_at,
        imported=any(one.imported for one in same),
    )


def listed(tx: ReadTx, name: str | None = None) -> list[Translation]:
    """Every row, or those of one name, in the order of name and language."""
    where = "" if name is None else " WHERE name = :name"
    rows = tx.all(text(f"SELECT * FROM templates{where} ORDER BY name, language, waba_id"), {"name": name})
    return [_translation(row) for row in rows]


def _translation(row: Row[Any]) -> Translation:
    values = {name: getattr(row, name) for name in _COLUMNS}
    components = json.loads(row.components) if row.components else None
    values["components"] = tuple(components) if isinstance(components, list) else None
    return Translation(**{**values, "imported": bool(row.imported)})
