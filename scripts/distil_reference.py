"""Make the compact reference files of `postgis/reference` from the collected public data.

    .venv/bin/python scripts/distil_reference.py ../shared/data [--plans ../shared/targets] [--output DIRECTORY]

Run it when the collected data change; the service itself never needs them. The same input gives the same bytes, and a
test compares. `osm_kinds.csv`, which says what OSM's tags mean to us, is written by hand and must be in the output
directory.
"""

import argparse
import sys
from pathlib import Path

from distil.basemap import distil_basemap
from distil.house_numbers import distil_house_numbers, distil_street_names
from distil.land import clip_natural_earth
from distil.places import distil_places
from distil.sectors import distil_sectors
from distil.streets import distil_streets
from distil.targets import distil_targets
from distil.wards import distil_wards

REFERENCE = Path(__file__).resolve().parent.parent / "postgis" / "reference"


def main() -> int:
    """Read the arguments, write the files, say what was changed or left out."""
    parser = argparse.ArgumentParser(description="Make postgis/reference from the collected public data.")
    parser.add_argument("data", type=Path, help="the collected data, e.g. ../shared/data")
    parser.add_argument("--plans", type=Path, help="the wards' plans (default: targets beside the data)")
    parser.add_argument("--output", type=Path, default=REFERENCE)
    parser.add_argument("--land-50m", type=Path, help="land-50m.json of world-atlas: makes the Natural Earth clip anew")
    arguments = parser.parse_args()
    data: Path = arguments.data
    output: Path = arguments.output
    if not (data / "open").is_dir():
        print(f"{data} holds no collected data (no folder 'open' in it).", file=sys.stderr)
        return 1
    if arguments.land_50m:
        clip_natural_earth(arguments.land_50m)
    wards, respelt = distil_wards(data, output)
    distil_sectors(data, output)
    distil_streets(data, output, wards)
    distil_house_numbers(data, output)
    distil_street_names(data, output)
    distil_basemap(data, output, wards)
    left_out = distil_places(data, output, wards)
    distil_targets(arguments.plans or data.parent / "targets", output / "targets")
    for title, lines in (("Ward names respelt", respelt), ("Left out of places", left_out)):
        print(f"{title}: {len(lines)}", *lines, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
