"""Small charts as SVG markup, without a style in it: the style sheet gives the colours. Pure.

What they show stands beside them in words or in a table, so that nobody needs to see them.
"""

from collections.abc import Sequence

from markupsafe import Markup

_BAR = Markup('<rect x="{}" y="{}" width="{}" height="{}"></rect>')
_SVG = Markup(
    '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
)


def bars(counts: Sequence[int], label: str, *, height: int = 80) -> Markup:
    """One bar a step, as high as its share of the greatest."""
    return _drawn("bars", counts, label, step=6, gap=1, height=height)


def sparkline(counts: Sequence[int], label: str) -> Markup:
    """The course of one figure, small enough for a line of text."""
    return _drawn("spark", counts, label, step=5, gap=1, height=16)


def _drawn(name: str, counts: Sequence[int], label: str, *, step: int, gap: int, height: int) -> Markup:
    most = max(counts, default=0)
    drawn = Markup("")
    for place, count in enumerate(counts):
        if count > 0 and most > 0:
            tall = max(round(count * height / most), 1)  # what is there can be seen
            drawn += _BAR.format(place * step, height - tall, step - gap, tall)
    return _SVG.format(name, max(len(counts) * step - gap, 1), height, label, drawn)
