"""Charts of reports as SVG markup, one colour by class and none by style. Pure.

Each stands beside a table of the same figures, so to a screen reader it is one picture that names itself in
one sentence. Widths are in units of the drawing; the style sheet scales it.
"""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, LINE = 480, 180, 26
_SVG = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>')
_TEXT = Markup('<text x="{}" y="{}" class="{}">{}</text>')
_LABELS, _VALUES = 180, 90  # room before and behind a lying bar


def lying(rows: Sequence[tuple[str, float, str]], label: str, tone: str = "series-1") -> Markup:
    """One lying bar a row of (name, value, value as text): a funnel, or failures by code."""
    most = max((value for _, value, _ in rows), default=0) or 1
    room = WIDTH - _LABELS - _VALUES
    drawn = Markup("")
    for place, (name, value, told) in enumerate(rows):
        y = place * LINE
        wide = round(max(value, 0) * room / most, 1)
        drawn += _TEXT.format(_LABELS - 8, y + 17, "end", shortened(name))
        drawn += _RECT.format(tone, _LABELS, y + 4, wide, LINE - 8, f"{name}: {told}")
        drawn += _TEXT.format(_LABELS + wide + 6, y + 17, "", told)
    return _SVG.format(WIDTH, max(len(rows), 1) * LINE, label, drawn)


def stacked(days: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]], label: str) -> Markup:
    """One standing bar a day, out of series of (name, class, counts) that exclude each other."""
    totals = [sum(counts[at] for _, _, counts in series) for at in range(len(days))]
    most = max(totals, default=0) or 1
    step = WIDTH / max(len(days), 1)
    wide = round(max(step - 2, 0.5), 2)
    drawn = Markup("")
    for at, day in enumerate(days):
        top = float(HEIGHT)
        for name, tone, counts in series:
            tall = counts[at] * HEIGHT / most
            if tall > 0:
                top -= tall
                told = f"{day}, {name}: {counts[at]:,}"
                drawn += _RECT.format(tone, round(at * step, 2), round(top, 2), wide, round(tall, 2), told)
    for at in sorted({0, len(days) - 1}) if days else ():
        drawn += _TEXT.format(0 if at == 0 else WIDTH, HEIGHT + 17, "end" if at else "", days[at])
    return _SVG.format(WIDTH, HEIGHT + 24, label, drawn)


def shortened(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
