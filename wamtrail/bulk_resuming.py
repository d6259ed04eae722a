"""Going on with bulk runs, and sending the refused rows of one again."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wamtrail.bulk_running import finish, loading, read_or_fail, same_list, terms_of
from wamtrail.saying import fail
from wamtrail.settings import Settings

if TYPE_CHECKING:
    from store.bulk_runs import Run
    from store.database import Database


def resume_one(
    settings: Settings, run_id: str, *, detach: bool, file: Path | None, result: Path | None
) -> None:
    """In the foreground, unless detached. Also a run whose process was killed, which nobody held."""
    from store import bulk_runs
    from wamtrail.opening import opened

    if not detach:
        settings.require_wrapper()
    with opened(settings) as database:
        run = _found(database, run_id)
        if run.state in ("done", "cancelled"):
            fail(f"This run is {run.state}; `wamtrail bulk retry {run_id}` sends what was refused again.")
        if run.loaded_at is None:
            run = _with_list(run, file)
        with database.write() as tx:
            bulk_runs.resume(tx, run_id)
        finish(settings, database, run, detach=detach, result=result)


def resume_all(settings: Settings) -> None:
    """Release everything that is held; lists that were not read to their end are taken in."""
    from sender.bulk_work import Work
    from store import bulk_runs
    from wamtrail.opening import clock, opened

    with opened(settings) as database:
        with database.read() as tx:
            held = bulk_runs.in_state(tx, "paused")
        for run in held:
            if run.loaded_at is None:
                _with_list(run, None)
            with database.write() as tx:
                bulk_runs.resume(tx, run.bulk_run_id)
            load = loading(settings, database, run)
            if load is not None:
                work = Work(
                    database, run.bulk_run_id, clock=clock, load=load, worker=None, report=lambda _now: None
                )
                with read_or_fail(Path(run.path)):
                    asyncio.run(work.run())
            print(f"Run {run.bulk_run_id} of {run.name} goes on; `wamtrail run sender` sends it.")
    if not held:
        print("No run is held.")


def retry(
    settings: Settings, run_id: str, *, every: bool, detach: bool, file: Path | None, result: Path | None
) -> None:
    from sender.bulk_list import digest
    from store import bulk_runs
    from store.bulk_runs import NewRun
    from wamtrail.opening import clock, opened

    if not detach:
        settings.require_wrapper()
    with opened(settings) as database:
        before = _found(database, run_id)
        _refuse_retry(database, before)
        before = _with_list(before, file)
        if not _anything(settings, database, before, every=every):
            hint = "" if every else "; --all sends also what will most likely be refused again"
            fail(f"No refused row of run {run_id} is left that another try can help{hint}.")
        path = Path(before.path)
        new = NewRun(
            bulk_run_id=secrets.token_hex(4),
            name=before.name,
            path=before.path,
            digest=digest(path, before.phone_number_id, before.template, before.language, run_id),
            phone_number_id=before.phone_number_id,
            template=before.template,
            language=before.language,
            valid_for=before.valid_for,
            retry_of=run_id,
            retry_all=every,
        )
        with database.write() as tx:
            repetition = len(bulk_runs.same_list(tx, new.digest))
            begun = bulk_runs.begin(tx, new, clock(), repetition)
            run = bulk_runs.find(tx, new.bulk_run_id)
        if not begun or run is None:
            fail("Another process retries this run at the same moment; `wamtrail bulk list` shows it.")
        finish(settings, database, run, detach=detach, result=result)


def _refuse_retry(database: "Database", run: "Run") -> None:
    from sender.bulk_progress import standing
    from store import bulk_runs
    from wamtrail.opening import clock

    with database.read() as tx:
        over = run.state == "cancelled" or standing(tx, run, clock()).over
        reading = [one for one in bulk_runs.retries(tx, run.bulk_run_id) if one.loaded_at is None]
    if not over:
        fail(f"Run {run.bulk_run_id} is {run.state}: retry it when it is done, or cancel it first.")
    for one in reading:
        if one.state != "cancelled":
            fail(
                f"Its retry {one.bulk_run_id} is not taken in yet: `wamtrail bulk resume {one.bulk_run_id}`."
            )


def _anything(settings: Settings, database: "Database", before: "Run", *, every: bool) -> bool:
    """Whether the list has a row that would be sent again."""
    from sender import bulk_list
    from sender.bulk_again import Again
    from sender.bulk_lines import chunks
    from sender.bulk_load import CHUNK

    again, terms = Again(before, every=every), terms_of(settings, before)
    path = Path(before.path)
    with read_or_fail(path), bulk_list.opened(path, terms.template, terms.language) as listed:
        for chunk in chunks(listed.rows, CHUNK, CHUNK):
            with database.read() as tx:
                if again.wanted(tx, chunk):
                    return True
    return False


def _with_list(run: "Run", file: Path | None) -> "Run":
    """The run with the place of its list, which must still be what it was."""
    path = file.resolve() if file is not None else Path(run.path)
    if not same_list(run, path):
        fail(
            f"{path} is not the list that run {run.bulk_run_id} was begun with: it was changed. Put the old"
            " one back, or name it with --file."
        )
    return replace(run, path=str(path))


def _found(database: "Database", run_id: str) -> "Run":
    from store import bulk_runs

    with database.read() as tx:
        run = bulk_runs.find(tx, run_id)
    if run is None:
        fail("No run has this id; `wamtrail bulk list` shows the newest.")
    return run
