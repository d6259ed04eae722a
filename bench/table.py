"""The printed table. Statuses a second, milliseconds, and the ratio to the bare endpoint."""

from bench.measure import Measured


def head(statuses: int) -> None:
    print(f"\nBodies of {statuses}; statuses a second, milliseconds" if statuses > 1 else "\nSingle statuses")
    print(
        f"{'':30}{'acknowledged':>13}{'processed':>11}{'under load':>11}{'of bare':>9}{'p50':>8}{'p99':>8}"
        f"{'longest':>9}"
    )


def row(name: str, found: Measured, reference: Measured | None) -> None:
    """`of bare`: the smaller of acknowledged and processed, beside what the bare endpoint answers."""
    least = min(found.acknowledged, found.processed) if found.processed is not None else found.acknowledged
    ratio = f"{least / reference.acknowledged:.2f}" if reference else ""
    seen = found.seen
    notes = [
        f"{count} {word}"
        for count, word in (
            (seen.refused, "refused"),
            (seen.broken, "broken off"),
            (seen.repeated, "posted twice"),
        )
        if count
    ]
    print(
        f"{name:30}{found.acknowledged:13,.0f}{_rate(found.processed):>11}{_rate(found.processed_during):>11}"
        f"{ratio:>9}{seen.p50:8.1f}{seen.p99:8.1f}{seen.longest:9.1f}  {', '.join(notes)}",
        flush=True,
    )


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
