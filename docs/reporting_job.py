"""A reporting job: follows the events of Wamtrail into a SQLite file and prints what became of the messages.

    EVENTS_URL=https://wamtrail.example.com EVENTS_TOKEN=wt_... python3 reporting_job.py

It needs Python alone, and may be killed at any moment: the rows of a page and the cursor after it are one
transaction. docs/reporting-job.md explains it; take it as the beginning of your own.
"""

import argparse
import http.client
import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

PAGE = 1_000  # events asked for at a time, 5,000 at most
TRIES = 8  # in a row before it gives up: some minutes
LONGEST = 60.0  # seconds between two tries, unless the answer asks for more
POLL = 5.0  # seconds between looks with --follow
PASSING = (429, 500, 502, 503, 504)  # answers that may be better next time

TABLES = """
CREATE TABLE IF NOT EXISTS place
  (one INTEGER PRIMARY KEY CHECK (one = 1), cursor TEXT, events INTEGER NOT NULL);
INSERT INTO place VALUES (1, NULL, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS messages
  (wamid TEXT PRIMARY KEY, message_id TEXT, reference TEXT, phone_number_id TEXT, queued_at TEXT);
CREATE TABLE IF NOT EXISTS attempts
  (message_id TEXT, attempt INTEGER, outcome TEXT, http_status INTEGER, ended_at TEXT,
   PRIMARY KEY (message_id, attempt));
CREATE TABLE IF NOT EXISTS updates
  (wamid TEXT, participant TEXT, status TEXT, occurred_at TEXT, error TEXT,
   PRIMARY KEY (wamid, participant, status, occurred_at, error));
"""
# The newest event knows best: a message that seemed a stranger's may turn out to be ours.
MESSAGE = """
INSERT INTO messages VALUES (:wamid, :message_id, :reference, :phone_number_id, :queued_at)
ON CONFLICT (wamid) DO UPDATE SET message_id = coalesce(excluded.message_id, message_id),
 reference = coalesce(excluded.reference, reference), queued_at = coalesce(excluded.queued_at, queued_at),
 phone_number_id = coalesce(excluded.phone_number_id, phone_number_id)
"""
ATTEMPT = """
INSERT OR REPLACE INTO attempts VALUES (:message_id, :attempt, :outcome, :http_status, :occurred_at)
"""
UPDATE = """
INSERT OR REPLACE INTO updates VALUES (:wamid, :participant, :status, :occurred_at, :error)
"""
# The furthest counts; a failure only where the message reached nobody.
TOTALS = """
SELECT day(queued_at), count(*), sum(furthest = 1 OR furthest > 2), sum(furthest > 2), sum(furthest > 3),
 sum(furthest > 4), sum(furthest = 2)
FROM (SELECT m.queued_at, max(CASE u.status WHEN 'played' THEN 5 WHEN 'read' THEN 4 WHEN 'delivered' THEN 3
 WHEN 'failed' THEN 2 WHEN 'sent' THEN 1 ELSE 0 END) AS furthest
 FROM messages AS m LEFT JOIN updates AS u USING (wamid) GROUP BY wamid)
GROUP BY 1 ORDER BY 1
"""
COLUMNS = ("day", "accepted", "sent", "delivered", "read", "played", "failed")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--follow", action="store_true", help="go on asking until it is stopped")
    words.add_argument("--begin-again", action="store_true", help="from the oldest event that is still kept")
    typed = words.parse_args()
    url, token = address()
    try:
        page = int(os.environ.get("EVENTS_PAGE", PAGE))
        zone = ZoneInfo(os.environ.get("EVENTS_ZONE", "UTC"))  # that of the reports
    except (ValueError, KeyError, OSError):
        sys.exit("EVENTS_PAGE is a whole number, EVENTS_ZONE a time zone such as Asia/Kolkata.")
    try:
        with closing(sqlite3.connect(os.environ.get("EVENTS_FILE", "events.db"), timeout=60)) as file:
            file.executescript(TABLES)
            if typed.begin_again:
                with file:
                    file.execute("UPDATE place SET cursor = NULL")
            try:
                keep_up(file, lambda: fetch(url, token, cursor(file), page), follow=typed.follow)
            except KeyboardInterrupt:
                print("Stopped. The next run goes on from here.", file=sys.stderr)
            print(*COLUMNS, sep="\t")
            for line in totals(file, zone):
                print(*line, sep="\t")
    except sqlite3.Error as problem:
        sys.exit(f"EVENTS_FILE cannot be used: {problem}.")


def address() -> tuple[str, str]:
    """Where to ask, and with which token; ends with a sentence when there is no such place."""
    url, token = os.environ.get("EVENTS_URL", ""), os.environ.get("EVENTS_TOKEN", "").strip()
    try:
        there = urlsplit(url)
        known = there.scheme in ("http", "https") and bool(there.hostname) and there.port != 0
    except ValueError:  # a port that is no number
        known = False
    if not known or not token or not (token.isascii() and token.isprintable()):
        sys.exit(
            "Set EVENTS_URL to the console's address, https://…, and EVENTS_TOKEN to a reporter's token."
        )
    return url.rstrip("/"), token


def keep_up(file: sqlite3.Connection, ask: Callable[[], dict], *, follow: bool) -> None:
    """Page after page until there is no more, or for ever."""
    while True:
        more = take_in(file, ask())
        if not more and not follow:
            return
        if not more:
            time.sleep(POLL)


def cursor(file: sqlite3.Connection) -> str | None:
    return file.execute("SELECT cursor FROM place").fetchone()[0]


def take_in(file: sqlite3.Connection, answer: dict) -> bool:
    """Everything of a page, and the cursor after it, or nothing; whether there is more at once."""
    with file:
        for event in answer["events"]:
            if event["wamid"]:
                file.execute(MESSAGE, event)
            if event["kind"] == "attempt":
                file.execute(ATTEMPT, event)
            elif event["kind"] == "status":
                error = str((event["error"] or {}).get("code") or "")
                file.execute(UPDATE, event | {"participant": event["participant"] or "", "error": error})
        values = (answer["next"], len(answer["events"]))
        file.execute("UPDATE place SET cursor = ?, events = events + ?", values)
    return answer["more"]


def totals(file: sqlite3.Connection, zone: ZoneInfo) -> list[tuple]:
    """One line a day, as `GET /api/v1/reports/delivery?by=day` counts."""

    def day(at: str | None) -> str:
        return datetime.fromisoformat(at).astimezone(zone).date().isoformat() if at else ""

    file.create_function("day", 1, day, deterministic=True)
    return file.execute(TOTALS).fetchall()


def fetch(url: str, token: str, after: str | None, limit: int) -> dict:
    """The page after the cursor. Waits and asks again while that may help; else ends with a sentence."""
    asked = {"limit": limit} | ({"after": after} if after else {})
    request = Request(f"{url}/api/v1/events?{urlencode(asked)}", headers={"Authorization": f"Bearer {token}"})
    for tried in range(TRIES):
        wait = min(LONGEST, 2.0**tried) * random.uniform(0.5, 1.0)  # not all jobs at the same moment
        try:
            with urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except HTTPError as problem:
            if problem.code == 410:
                sys.exit(
                    f"Wamtrail answered 410: {detail(problem)} Start this job with --begin-again, take the"
                    " days of the gap from /api/v1/reports/delivery, or see docs/reporting-job.md."
                )
            if problem.code not in PASSING:
                sys.exit(f"Wamtrail answered {problem.code}: {detail(problem)}")
            asked_for = problem.headers.get("Retry-After", "")
            wait = float(asked_for) if asked_for.isdecimal() else wait
            reason = f"it answered {problem.code}"
        except (OSError, http.client.HTTPException, ValueError) as problem:
            reason = (
                f"there was no whole answer ({getattr(problem, 'reason', None) or type(problem).__name__})"
            )
        if tried + 1 < TRIES:
            print(f"Asking again in {wait:.0f} s: {reason}.", file=sys.stderr)
            time.sleep(wait)
    sys.exit(f"Gave up after {TRIES} tries: {reason}. Nothing is lost; run it again later.")


def detail(problem: HTTPError) -> str:
    try:
        return str(json.load(problem)["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(problem.reason)


if __name__ == "__main__":
    main()
