"""How far off a located address may be: the error that nine of ten places stay within, by how it was found.

a + b * spread, in metres. Fitted by quantile regression on the 470 house numbers of OpenStreetMap outside Hòa Cường,
each withheld in turn (`python -m tests.geocode_trial --fit`); the ward's own 173 are kept for checking.
"""

EXACT_M = 40.0
"""Of a known house number: points that OpenStreetMap has twice for one address lie that far apart (12 pairs)."""

_LINES = {
    "beside": (40.0, 0.0),
    "between": (10.0, 0.5),
    "opposite": (70.0, 0.7),
    "beyond": (30.0, 1.5),
    "near": (80.0, 1.0),
    # Too few to fit (6 and 4): above the largest error seen.
    "lane": (40.0, 0.5),
    "mouth": (50.0, 1.5),
}


def expected_error(kind: str, spread: float) -> float:
    """Metres within which nine of ten places found in this way lie."""
    base, per_metre = _LINES[kind]
    return base + per_metre * spread
