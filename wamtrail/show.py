"""Messages in the terminal: one as a readable story, many as a table. Numbers and ids are masked.

Text of other people is never taken for rich's markup, and its control characters never reach the terminal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from store import status
from store.explained import Explained, error_of, why
from store.group_rows import Conflicts
from store.stories import Story
from store.summary import MARKS, erased, shown_status, summary
from store.timeline import Step, timeline
from store.times import rfc3339
from whatsapp.masking import mask, mask_wamid, scrub

STYLES: Mapping[str, str] = {
    "queued": "dim",
    "sending": "dim",
    "unknown": "bold yellow",
    "refused": "bold red",
    "cancelled": "dim",
    "accepted": "cyan",
    "sent": "cyan",
    "delivered": "green",
    "read": "bold green",
    "played": "bold green",
    "failed": "bold red",
    "conflict": "bold magenta",
}
_LISTED = ("status", "time (UTC)", "to", "type", "reference", "id")
_WIDE = 116  # characters that hold a line with its id
_CONFLICT = "Meta reported a delivery and a failure. Both are kept and shown below."
_AT_META: Mapping[str | None, str | None] = {  # Meta's word in the answer, where it is more than "accepted"
    "accepted": None,
    "held_for_quality_assessment": "held until Meta has assessed the template's quality",
    "paused": "waits there, because its template is paused",
}
_IMPLIED = "Meta leaves delivered out when a message is read at once: read means that it was delivered."


def render_story(story: Story, console: Console, *, reveal: bool = False) -> None:
    """The answer in the first line, what it means under it, then each step. `reveal`: nothing is masked."""
    word = shown_status(story)
    console.print(Text(f"{MARKS[word]} {summary(story)}", style=STYLES[word]))
    _print_facts(story, console, reveal)
    if error := error_of(story):
        _print_error(error, console, reveal)
    if gone := erased(story):
        console.print(Text(gone))
    if story.conflict:
        console.print(Text(f"{MARKS['conflict']} {_CONFLICT}", style=STYLES["conflict"]))
    if story.delivered_implied:
        console.print(Text(_IMPLIED, style="dim"))
    console.print()
    console.print(_steps(story, reveal))
    if story.participants:
        console.print()
        console.print(_participants(story.participants, reveal))


def render_list(
    rows: Iterable[Mapping[str, Any]],
    console: Console,
    *,
    conflicts: Conflicts,
    reveal: bool = False,
) -> None:
    """Rows of store.search, newest first as they come; one sentence when there are none.

    `conflicts`: what `store.group_rows.conflicts` found among them.
    An id is there to be copied, so a narrow console shows it whole under its message.
    """
    lines = [_line(row, conflicts, reveal) for row in rows]
    if not lines:
        console.print("No message fits; ask for less, or for a longer time.")
    elif console.width >= _WIDE:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in _LISTED:
            table.add_column(name, no_wrap=name not in ("type", "reference"), overflow="fold")
        for line in lines:
            table.add_row(*line)
        console.print(table)
    else:
        for *cells, key in lines:
            console.print(Text("  ").join(cell for cell in cells if cell))
            console.print(Text.assemble("   ", key), style="dim")


def _line(row: Mapping[str, Any], conflicts: Conflicts, reveal: bool) -> tuple[Text, ...]:
    word = "conflict" if row["message_wamid"] in conflicts else str(row["status"])
    kind = f"template {row['template']}" if row["template"] else row["type"]
    return (
        Text(f"{MARKS[word]} {word}", style=STYLES[word]),
        Text(_time(int(row["at"]))),
        _plain(_number(row["recipient"] or row["recipient_user_id"], reveal)),
        _plain(kind),
        _plain(row["reference"]),
        _plain(row["message_id"] or _wamid(row["message_wamid"], reveal)),
    )


def _print_facts(story: Story, console: Console, reveal: bool) -> None:
    send, message = story.send or {}, story.message or {}
    known = {**{name: value for name, value in message.items() if value is not None}, **send}
    recipient = known.get("recipient") or known.get("recipient_id") or known.get("recipient_user_id")
    kind = f"template {send['template']} ({send['language']})" if send.get("template") else known.get("type")
    facts = {
        "to": _number(recipient, reveal),
        "from": known.get("phone_number_id") or known.get("reported_number"),
        "type": kind,
        "at Meta": _AT_META.get(send.get("message_status"), send.get("message_status")),
        "reference": known.get("reference"),
        "message_id": known.get("message_id"),
        "wamid": _wamid(message.get("wamid") or send.get("wamid"), reveal),
    }
    console.print(_pairs({name: _plain(value) for name, value in facts.items() if value}))


def _print_error(error: Explained, console: Console, reveal: bool) -> None:
    entry = error.entry
    told = {
        "Means": entry.meaning,
        "Whose": entry.owner,
        "Again?": {"never": "not as it is", "later": "later", "now": "at once"}[entry.retryable],
        "Do": entry.action,
        "Said": error.said,
    }
    shown = {name: _plain(value if reveal else scrub(value)) for name, value in told.items() if value}
    if error.fbtrace_id:  # whole: it is what Meta's support asks for
        shown["fbtrace_id"] = _plain(error.fbtrace_id)
    console.print(_pairs(shown))


def _pairs(lines: Mapping[str, Text]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True, min_width=10)
    table.add_column(overflow="fold")
    for name, value in lines.items():
        table.add_row(name, value)
    return table


def _steps(story: Story, reveal: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("happened (UTC)", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("arrived (UTC)", no_wrap=True)
    for step in timeline(story):
        words = _words(step, why(step, story), reveal)
        table.add_row(_time(step.at), words, _time(step.arrived_at))
    return table


def _words(step: Step, reasons: Iterable[str], reveal: bool) -> Text:
    mark = f"{MARKS[step.what]} " if step.what in MARKS else ""
    words = Text.assemble(
        (mark, STYLES.get(step.what, "")), _plain(step.text if reveal else scrub(step.text))
    )
    if step.participant:
        words.append_text(Text.assemble(" for ", _plain(_number(step.participant, reveal))))
    for reason in reasons:
        words.append_text(Text.assemble("\n", _plain(reason if reveal else scrub(reason))))
    return words


def _participants(people: Iterable[Mapping[str, Any]], reveal: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("participant", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for one in people:
        word = "conflict" if status.conflict(one) else status.status(one)
        label = Text(f"{MARKS[word]} {word}", style=STYLES[word])
        table.add_row(_plain(_number(one["participant"], reveal)), label)
    return table


def _number(value: str | None, reveal: bool) -> str:
    return (value or "") if reveal else mask(value)


def _wamid(value: str | None, reveal: bool) -> str:
    if value is None:
        return ""
    return value if reveal else mask_wamid(value)


def _time(seconds: float | None) -> str:
    return (rfc3339(seconds) or "").replace("T", " ").removesuffix("Z")


def _plain(value: object) -> Text:
    text = "" if value is None else str(value)
    return Text(
        "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
    )
