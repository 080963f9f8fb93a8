"""Charts on paper: the marks of `web.marks` drawn into a PDF, or as a picture for Word.

Loads what does so, which is large.
"""

from io import BytesIO
from itertools import pairwise
from pathlib import Path

from fpdf import FPDF
from fpdf.drawing_primitives import color_from_hex_string
from PIL import Image, ImageDraw, ImageFont

from web.assets import MissingAssetError
from web.marks import Area, Dot, Drawing, Place, Stroke, Words

FONTS = Path(__file__).parent / "static" / "vendor" / "fonts"
POINT_MM = 25.4 / 72
_DPI = 240


def draw_in_pdf(pdf: FPDF, drawn: Drawing, x: float, y: float, width: float, family: str) -> float:
    """Draws into the page with its upper left corner at (x, y), `width` mm wide; returns the height in mm.

    Words are selectable text in the family of the document.
    """
    scale = width / drawn.width

    def at(place: Place) -> Place:
        return x + place[0] * scale, y + place[1] * scale

    for mark in drawn.marks:
        if isinstance(mark, Stroke):
            pdf.set_draw_color(color_from_hex_string(mark.colour))
            pdf.set_line_width(mark.width * scale)
            if mark.dash:
                pdf.set_dash_pattern(mark.dash[0] * scale, mark.dash[1] * scale)
            pdf.polyline([at(place) for place in mark.places])
            pdf.set_dash_pattern()
        elif isinstance(mark, Area):
            pdf.set_fill_color(color_from_hex_string(mark.colour))
            if mark.edge:
                pdf.set_draw_color(color_from_hex_string(mark.edge))
                pdf.set_line_width(0.6 * scale)
            pdf.polygon([at(place) for place in mark.places], style="DF" if mark.edge else "F")
        elif isinstance(mark, Dot):
            pdf.set_fill_color(color_from_hex_string("#ffffff" if mark.hollow else mark.colour))
            pdf.set_draw_color(color_from_hex_string(mark.colour))
            pdf.set_line_width(1.4 * scale)
            middle = at(mark.middle)
            pdf.circle(*middle, mark.radius * scale, style="DF" if mark.hollow else "F")
        else:
            _write(pdf, mark, at(mark.at), scale, family)
    pdf.set_text_color(0)
    pdf.set_draw_color(0)
    pdf.set_fill_color(255)
    return drawn.height * scale


def _write(pdf: FPDF, mark: Words, at: Place, scale: float, family: str) -> None:
    pdf.set_font(family, "B" if mark.bold else "", mark.size * scale / POINT_MM)
    pdf.set_text_color(color_from_hex_string(mark.colour))
    width = pdf.get_string_width(mark.text)
    pdf.text(at[0] - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor], at[1], mark.text)


def picture(drawn: Drawing, width: float) -> bytes:
    """The chart as PNG, `width` mm wide at 240 dots an inch, in the fonts of official papers.

    Raises MissingAssetError without the fonts that set-up copies.
    """
    # Drawn at twice the size and made smaller: Pillow draws lines without smoothing them.
    scale = 2 * width / 25.4 * _DPI / drawn.width
    image = Image.new("RGB", (round(drawn.width * scale), round(drawn.height * scale)), "#ffffff")
    pen = ImageDraw.Draw(image)

    def at(place: Place) -> Place:
        return place[0] * scale, place[1] * scale

    for mark in drawn.marks:
        if isinstance(mark, Stroke):
            thick = max(1, round(mark.width * scale))
            places = [at(place) for place in mark.places]
            if mark.dash is None:
                pen.line(places, fill=mark.colour, width=thick, joint="curve")
            else:
                for piece in _dashed(places, mark.dash[0] * scale, mark.dash[1] * scale):
                    pen.line(piece, fill=mark.colour, width=thick)
        elif isinstance(mark, Area):
            edge = max(1, round(0.6 * scale)) if mark.edge else 1
            pen.polygon([at(place) for place in mark.places], fill=mark.colour, outline=mark.edge, width=edge)
        elif isinstance(mark, Dot):
            x, y = at(mark.middle)
            r = mark.radius * scale
            fill = "#ffffff" if mark.hollow else mark.colour
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=mark.colour, width=max(1, round(1.4 * scale)))
        else:
            font = _font(mark.bold, mark.size * scale)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
            pen.text(at(mark.at), mark.text, fill=mark.colour, font=font, anchor=anchor)
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "PNG", dpi=(_DPI, _DPI), optimize=True)
    return out.getvalue()


def _font(bold: bool, size: float) -> ImageFont.FreeTypeFont:
    file = FONTS / f"tinos-{'700' if bold else '400'}.ttf"
    if not file.exists():
        raise MissingAssetError(f"{file} is missing; `npm ci` and `node web/vendor.mjs` put it there")
    return ImageFont.truetype(str(file), round(size))


def _dashed(places: list[Place], on: float, off: float) -> list[list[Place]]:
    """A line in pieces of length `on`, with `off` between them."""
    pieces: list[list[Place]] = []
    left, drawn = on, True
    for (x0, y0), (x1, y1) in pairwise(places):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while done < length:
            step = min(left, length - done)
            if drawn:
                a, b = done / length, (done + step) / length
                pieces.append([(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)])
            done, left = done + step, left - step
            if left <= 1e-9:
                drawn = not drawn
                left = on if drawn else off
    return pieces
