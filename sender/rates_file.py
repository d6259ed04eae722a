"""Reads a rate card out of a CSV file: market, category, valid_from, rate, fee, currency. Pure.

Every line is looked at, so that all that is wrong is told at once; amounts are decimal text and stay exact.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date

from store.money import micro
from store.pricing import category_word
from store.rate_cards import ELSEWHERE, Rate
from whatsapp.market import COUNTRIES

NEEDED = ("market", "category", "valid_from", "rate")
OPTIONAL = ("fee", "currency")
_CATEGORY = re.compile(r"[a-z][a-z_-]{1,60}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RatesFile:
    """`problems`: one sentence each, with the line's number; nothing may be imported when there are any."""

    rates: tuple[Rate, ...]
    problems: tuple[str, ...]


def read(raw: bytes, currency: str) -> RatesFile:
    """`currency`: of the lines that name none. Commas or semicolons, with or without a byte order mark."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return RatesFile((), ("The file is not UTF-8: export it as CSV UTF-8.",))
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ","
    )
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as problem:
        return RatesFile((), (f"line {reader.line_num}: {problem}.",))
    if not lines:
        return RatesFile((), ("The file is empty.",))
    header = [cell.strip().lower() for cell in lines[0][1]]
    if wrong := _header_problem(header):
        return RatesFile((), (wrong,))
    return _lines(header, lines[1:], currency)


def _header_problem(header: list[str]) -> str | None:
    missing = [name for name in NEEDED if name not in header]
    unknown = [name for name in header if name not in (*NEEDED, *OPTIONAL)]
    if missing:
        return (
            f"line 1: the column {missing[0]} is missing; the columns are {', '.join((*NEEDED, *OPTIONAL))}."
        )
    if unknown:
        return f"line 1: {unknown[0] or 'a column without a name'} is no column of a rate card; leave it out."
    twice = next((name for name in header if header.count(name) > 1), None)
    return f"line 1: the column {twice} stands there twice." if twice else None


def _lines(header: list[str], lines: list[tuple[int, list[str]]], currency: str) -> RatesFile:
    problems: list[str] = []
    found: dict[str, tuple[int, Rate]] = {}
    for number, cells in lines:
        if len(cells) != len(header):
            problems.append(f"line {number}: has {len(cells)} cells, the header has {len(header)}.")
            continue
        line = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        wrong, rate = _rate(line, currency)
        problems += [f"line {number}: {one}." for one in wrong]
        if rate is None:
            continue
        before, known = found.setdefault(rate.rate_id, (number, rate))
        if known != rate:
            problems.append(
                f"line {number}: says otherwise than line {before} for the same market, category and day."
            )
    if not found and not problems:
        problems.append("The file has a header and no rates.")
    return RatesFile(() if problems else tuple(rate for _, rate in found.values()), tuple(problems))


def _rate(line: dict[str, str], currency: str) -> tuple[list[str], Rate | None]:
    market, category = line["market"].upper(), category_word(line["category"])
    named = line.get("currency", "").upper() or currency
    wrong = []
    if market != ELSEWHERE and market not in COUNTRIES:
        wrong.append("market is no country: write its two letters, such as IN, or * for all others")
    if not _CATEGORY.fullmatch(category):
        wrong.append("category is no word of Meta's, such as marketing, utility, authentication or service")
    if not _is_day(line["valid_from"]):
        wrong.append("valid_from is no day: write it as 2026-10-01")
    if not _CURRENCY.fullmatch(named):
        wrong.append("currency is none: write its three letters, such as INR")
    amounts = []
    for name in ("rate", "fee"):
        typed = line.get(name, "")
        try:
            amounts.append(micro(typed) if typed or name == "rate" else 0)
        except ValueError as problem:
            wrong.append(f"{name} {problem}")
            continue
        if amounts[-1] < 0:
            wrong.append(f"{name} is below 0")
    if wrong:
        return wrong, None
    return [], Rate(named, market, category, line["valid_from"], *amounts)


def _is_day(typed: str) -> bool:
    try:
        return bool(_DAY.fullmatch(typed)) and date.fromisoformat(typed) is not None
    except ValueError:
        return False
