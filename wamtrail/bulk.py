"""`wamtrail bulk`: how runs over lists stand, and holding, releasing, taking back and repeating them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from sender.bulk_progress import Standing
    from store.bulk_runs import Run
    from store.database import ReadTx

app = typer.Typer(help="Runs over lists, begun with `send bulk`.", no_args_is_help=True)

_ID = typer.Argument(help="The run's id, as `bulk list` shows it.", metavar="RUN")
_JSON = typer.Option(False, "--json", help="The same as JSON.")
_DETACH = typer.Option(False, "--detach", help="Let `run sender` send it.")
_RESULT = typer.Option(None, help="Write a CSV with a line for each row here.")


@app.command("list")
def list_runs(limit: int = typer.Option(20, min=1, max=200), as_json: bool = _JSON) -> None:
    """The newest runs."""
    from store import bulk_runs
    from store.times import rfc3339
    from wamtrail.bulk_bar import outcomes
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        runs = [_standing(tx, run) for run in bulk_runs.newest(tx, limit)]
    if as_json:
        print(json.dumps([_as_json(one) for one in runs], indent=2, ensure_ascii=False))
        return
    for one in runs:
        run = one.run
        queued = f", queued {one.queued + one.sending:,}" if one.queued or one.sending else ""
        stands = f"{_state(one):9}  {outcomes(one)}{queued}"
        print(f"{run.bulk_run_id}  {rfc3339(run.created_at)}  {stands}  {run.name}")
    if not runs:
        print("No runs yet; `wamtrail send bulk` begins one.")


@app.command()
def show(run_id: str = _ID, as_json: bool = _JSON, result: Path | None = _RESULT) -> None:
    """How a run stands; with --result what became of each row."""
    from sender import bulk_result
    from store import bulk_runs
    from wamtrail.opening import opened

    with opened(load()) as database:
        with database.read() as tx:
            one = _standing(tx, _found(tx, run_id))
            retries = [other.bulk_run_id for other in bulk_runs.retries(tx, run_id)]
        if as_json:
            print(json.dumps(_as_json(one) | {"retried_as": retries}, indent=2, ensure_ascii=False))
        else:
            for line in _lines(one, retries):
                print(line)
        if result is not None:
            try:
                count = bulk_result.write(database, run_id, result)
            except OSError as problem:
                fail(f"{result} cannot be written: {problem.strerror}.")
            typer.echo(f"wamtrail: {result} tells what became of each of {count:,} rows.", err=True)


@app.command()
def pause(run_id: str = _ID) -> None:
    """Hold a run: nothing more of it leaves until `bulk resume`."""
    from store import bulk_runs
    from wamtrail.opening import opened

    with opened(load()) as database, database.write() as tx:
        run = _found(tx, run_id)
        done = bulk_runs.pause(tx, run_id)
    if not done:
        fail(f"Only a run that is on its way can be held; this one is {run.state}.")
    print(f"Run {run_id} is held until `wamtrail bulk resume {run_id}`.")


@app.command()
def cancel(run_id: str = _ID) -> None:
    """Take back what has not left yet, for good."""
    from store import bulk_runs
    from wamtrail.opening import clock, opened

    settings = load()
    with opened(settings) as database:
        with database.write() as tx:
            run = _found(tx, run_id)
            if not bulk_runs.cancel(tx, run_id, clock()) and run.state != "cancelled":
                fail(f"Only a run that is not over can be cancelled; this one is {run.state}.")
        count = 0
        while True:
            with database.write() as tx:
                some = bulk_runs.cancel_rows(tx, run_id, clock(), keep_payload=settings.keep_content)
            if not some:
                break
            count += some
    print(f"Run {run_id} is cancelled: {count:,} rows were taken back before they left.")


@app.command()
def resume(
    run_id: str | None = typer.Argument(None, help="The run's id.", metavar="RUN"),
    every: bool = typer.Option(False, "--all", help="All that are held; `run sender` sends them."),
    detach: bool = _DETACH,
    file: Path | None = typer.Option(None, help="Where the list lies now, if it was moved."),
    result: Path | None = _RESULT,
) -> None:
    """Go on with a run that was held, or that was cut off, at the row where it was."""
    from wamtrail.bulk_resuming import resume_all, resume_one

    if (run_id is None) != every or (every and (file or result)):
        fail("Give one run's id, or --all alone.", code=2)
    if run_id is None:
        resume_all(load())
    else:
        resume_one(load(), run_id, detach=detach, file=file, result=result)


@app.command()
def retry(
    run_id: str = _ID,
    every: bool = typer.Option(False, "--all", help="Also rows that will most likely be refused again."),
    detach: bool = _DETACH,
    file: Path | None = typer.Option(None, help="Where the list lies now, if it was moved."),
    result: Path | None = _RESULT,
) -> None:
    """Send the refused rows of a finished run again, as new messages of a new run."""
    from wamtrail.bulk_resuming import retry as again

    again(load(), run_id, every=every, detach=detach, file=file, result=result)


def _found(tx: "ReadTx", run_id: str) -> "Run":
    from store import bulk_runs

    run = bulk_runs.find(tx, run_id)
    if run is None:
        fail("No run has this id; `wamtrail bulk list` shows the newest.")
    return run


def _standing(tx: "ReadTx", run: "Run") -> "Standing":
    from sender.bulk_progress import standing
    from wamtrail.opening import clock

    return standing(tx, run, clock())


def _state(one: "Standing") -> str:
    return "done" if one.over and one.run.state == "running" else one.run.state


def _lines(one: "Standing", retries: list[str]) -> list[str]:
    from store.times import rfc3339
    from wamtrail.bulk_bar import outcomes

    run = one.run
    rows = f"{run.rows:,}" + ("" if run.loaded_at is not None else f" so far, up to line {run.read_to:,}")
    template = f", template {run.template} ({run.language})" if run.template else ""
    lines = [
        f"run        {run.bulk_run_id}, {_state(one)}",
        f"list       {run.name}{template}, from {run.phone_number_id}",
        f"begun      {rfc3339(run.created_at)}",
        f"rows       {rows}",
        f"messages   {outcomes(one)}, queued {one.queued:,}, sending {one.sending:,}",
    ]
    lines += [f"held       {one.held}"] if one.held is not None and one.queued else []
    lines += [f"retry of   {run.retry_of}"] if run.retry_of else []
    lines += [f"retried    as {', '.join(retries)}"] if retries else []
    if run.state == "paused":
        lines.append(f"next       `wamtrail bulk resume {run.bulk_run_id}` goes on with it")
    return lines


def _as_json(one: "Standing") -> dict[str, Any]:
    from store.times import rfc3339

    run = one.run
    return {
        "run": run.bulk_run_id,
        "name": run.name,
        "state": _state(one),
        "phone_number_id": run.phone_number_id,
        "template": run.template,
        "language": run.language,
        "retry_of": run.retry_of,
        "created_at": rfc3339(run.created_at),
        "loaded": run.loaded_at is not None,
        "rows": run.rows,
        "unusable": run.invalid,
        "queued": one.queued,
        "sending": one.sending,
        "accepted": one.accepted,
        "refused": one.refused,
        "unknown": one.unknown,
        "cancelled": one.cancelled,
    }
