"""Charts as SVG for pages: sharp at any size, readable by itself, without a style sheet or a script."""

from markupsafe import Markup, escape

from web.chart_marks import drawing
from web.charts import Chart
from web.marks import Area, Dot, Drawing, Mark, Place, Stroke


def svg(chart: Chart, lang: str, width: float = 360.0) -> Markup:
    """The chart as an SVG element, with what it says in words as its text alternative.

    It grows with the room that the page gives it. 360 is right for a telephone, where words are 10 pixels high; a
    larger width makes them smaller beside the rest.
    """
    return svg_of(drawing(chart, lang, width))


def svg_of(drawn: Drawing) -> Markup:
    """Marks as an SVG element."""
    inside = Markup("").join(_element(mark) for mark in drawn.marks)
    return Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" '
        'viewBox="0 0 {width} {height}" width="{width}" height="{height}">{inside}</svg>'
    ).format(said=drawn.description, width=_plain(drawn.width), height=_plain(drawn.height), inside=inside)


def _element(mark: Mark) -> Markup:
    if isinstance(mark, Stroke):
        dash = Markup(' stroke-dasharray="{} {}"').format(*map(_plain, mark.dash)) if mark.dash else ""
        return Markup(
            '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"{}/>'
        ).format(_list(mark.places), mark.colour, _plain(mark.width), dash)
    if isinstance(mark, Area):
        edge = Markup(' stroke="{}" stroke-width="0.6"').format(mark.edge) if mark.edge else ""
        return Markup('<polygon points="{}" fill="{}"{}/>').format(_list(mark.places), mark.colour, edge)
    if isinstance(mark, Dot):
        look = Markup('fill="{}"').format(mark.colour)
        if mark.hollow:
            look = Markup('fill="#ffffff" stroke="{}" stroke-width="1.4"').format(mark.colour)
        x, y = map(_plain, mark.middle)
        return Markup('<circle cx="{}" cy="{}" r="{}" {}/>').format(x, y, _plain(mark.radius), look)
    weight = Markup(' font-weight="600"') if mark.bold else ""
    anchor = Markup(' text-anchor="{}"').format(mark.anchor) if mark.anchor != "start" else ""
    x, y = map(_plain, mark.at)
    return Markup('<text x="{}" y="{}" font-size="{}" fill="{}"{}{}>{}</text>').format(
        x, y, _plain(mark.size), mark.colour, anchor, weight, escape(mark.text)
    )


def _list(places: tuple[Place, ...]) -> str:
    return " ".join(f"{_plain(x)},{_plain(y)}" for x, y in places)


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
