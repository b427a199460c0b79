"""Split: which leads teach, which calibrate, and which only judge."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.lead import Lead
from models.errors import TrainingRefused

Indices = NDArray[np.intp]
SHARES = (0.6, 0.2, 0.2)  # train, calibration, test
FIFTHS = 5
FEWEST_OF_OUTCOME = 5  # in each part; each of five folds of the training part needs one
STOCK_SHARE, FEWEST_STOCK = 0.05, 10  # of the leads that wrote: a text of more is a stock phrase


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the three parts; `by` says how they were drawn."""

    train: Indices
    calibration: Indices
    test: Indices
    by: str


def split(
    leads: Sequence[Lead], won: NDArray[np.int8], dates: pd.Series | None, *, seed: int
) -> Split:
    """Three parts: by time where there are dates (the newest judge), else stratified.

    Leads of one date are dealt by chance: a table may be sorted by its outcome within each month.
    Stratified, leads with the same text stay together, or the test would only ask what training has
    seen; by time they are where they were, for that is how they will come.

    Raises:
        TrainingRefused: by time, one part holds too few leads that were won, or lost.
    """
    groups = text_groups(leads)
    if dates is not None:
        return _by_time(dates, won, seed)
    test, calibration, *rest = _folds(won, groups, FIFTHS, seed)
    by = "stratified, repeated texts together" if _repeats(groups) else "stratified"
    return Split(np.sort(np.concatenate(rest)), np.sort(calibration), np.sort(test), by)


def cross_validation(
    won: NDArray[np.int8], groups: Indices, folds: int, seed: int
) -> Iterator[tuple[Indices, Indices]]:
    """(fit, held out) row numbers of each fold, stratified, groups kept together."""
    for held_out in _folds(won, groups, folds, seed):
        yield np.setdiff1d(np.arange(len(won)), held_out), held_out


def text_groups(leads: Sequence[Lead]) -> Indices:
    """A group number for each lead: the same for the same texts, own for leads without one.

    Leads with a stock phrase have each their own: it will be said again, and so makes them no more
    one witness than the value of any other column does.
    """
    texts = [_text_key(lead) for lead in leads]
    said = Counter(text for text in texts if text)
    most = max(FEWEST_STOCK, STOCK_SHARE * said.total())
    keys = [text if text and said[text] <= most else str(row) for row, text in enumerate(texts)]
    return np.unique(keys, return_inverse=True)[1].astype(np.intp)


def _text_key(lead: Lead) -> str | None:
    words = " ".join(" ".join(lead.texts.values()).casefold().split())
    return hashlib.sha256(words.encode()).hexdigest() if words else None


def _folds(won: NDArray[np.int8], groups: Indices, folds: int, seed: int) -> list[Indices]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if _repeats(groups):
        grouped = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        return [held_out for _, held_out in grouped.split(won, won, groups)]
    plain = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return [held_out for _, held_out in plain.split(won, won)]


def _repeats(groups: Indices) -> bool:
    return len(np.unique(groups)) < len(groups)


def _by_time(dates: pd.Series, won: NDArray[np.int8], seed: int) -> Split:
    by_chance = np.random.default_rng(seed).permutation(len(dates))
    order = np.lexsort((by_chance, dates.to_numpy()))  # unknown dates (NaT) sort last
    known = int(dates.notna().sum())
    unknown, order = order[known:], order[:known]
    first, second = (round(share * known) for share in np.cumsum(SHARES)[:2])
    # A lead of unknown date may teach, but it may not judge the future.
    train = np.concatenate([order[:first], unknown])
    calibration, test = order[first:second], order[second:]
    for part, rows in (("training", train), ("calibration", calibration), ("test", test)):
        _require_both(won[rows], f"Split in time by {dates.name!r}, the {part} part", dates)
    newest = dates.iloc[test].min()
    by = f"time: the test part begins on {newest:%Y-%m-%d}"
    return Split(np.sort(train), np.sort(calibration), np.sort(test), by)


def _require_both(won: NDArray[np.int8], part: str, dates: pd.Series) -> None:
    for outcome, word in ((1, "won"), (0, "lost")):
        found = int((won == outcome).sum())
        if found < FEWEST_OF_OUTCOME:
            raise TrainingRefused(
                f"{part} would hold {found:,} leads that were {word}, of which "
                f"{FEWEST_OF_OUTCOME} are needed ({int(dates.notna().sum()):,} of {len(dates):,} "
                f"dates are known). Set `use = false` on {dates.name!r} in leads.toml to split at "
                "random, or bring leads of other times."
            )
