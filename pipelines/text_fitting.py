"""Text fitting: redacted texts and outcomes of past leads become a TextModel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.lead import Lead
from features.redaction import RedactedText
from models.sentence_embedding import VERSION
from models.text_model import Meaning, TextModel, Weighting, terms_of
from pipelines.split import cross_validation, text_groups
from pipelines.training_data import TrainingData

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
Folds = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]  # (fit, held out), places among rows
Vectors = Mapping[int, NDArray[np.float32]]  # sentence embeddings, by row
# A term lives in a model file only if so many different leads wrote it: redaction misses a few
# names in a hundred, and whose name is missed in one text is not missed in ten.
FEWEST_WRITERS = 10
MOST_TERMS = 20_000
FOLDS = 5
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # C of scikit-learn: more is less regularised
WEIGHING = 100.0  # C where two opinions are weighed: two numbers need hardly a penalty
SOLVER_STEPS = 2_000


@dataclass(frozen=True)
class FittedText:
    """A model fitted on leads `rows`, and what it says of each of them out of fold.

    held_out: log-odds in the order of rows, each by a model and a vocabulary that never met it.
    folds: of these rows.
    """

    model: TextModel
    rows: NDArray[np.intp]
    held_out: Floats
    folds: Folds

    def loss(self, won: NDArray[np.int8]) -> float:
        """Log loss out of fold. won: of all leads of the table."""
        return _loss(self.held_out, won[self.rows])

    def said(self, texts: Mapping[int, RedactedText], vectors: Vectors) -> dict[int, float]:
        """What it says of each of these texts. vectors: of all of them; none for words alone."""
        return {
            row: self.model.log_odds(text, vectors[row].tolist() if row in vectors else None)
            for row, text in texts.items()
        }


def fit_text(
    data: TrainingData,
    texts: Mapping[int, RedactedText],
    rows: NDArray[np.intp],
    *,
    seed: int,
    fewest_writers: int = FEWEST_WRITERS,
    weightings: Sequence[Weighting] = tuple(Weighting),
) -> FittedText | None:
    """A text model of the leads `rows` that have a text; None where no term is usual enough.

    Weighting, of these, and penalty are chosen by log loss out of fold.
    """
    rows = np.array([row for row in rows if row in texts], dtype=np.intp)
    leads, won = data.part(rows), data.won[rows]
    folds = _folds(won, leads, seed)
    if folds is None:
        return None
    counts = [terms_of(texts[row]) for row in rows]
    writers = [writer(lead) for lead in leads]
    counted = [_Counted.of(counts, writers, won, fit, fewest_writers) for fit, _ in folds]
    everything = _Counted.of(counts, writers, won, np.arange(len(rows)), fewest_writers)
    if not all(one.terms for one in (*counted, everything)):
        return None
    trials: list[tuple[_Penalised, Weighting]] = []
    for weighting in weightings:
        matrices = [one.weighed(one.scales(weighting)) for one in counted]
        parts = [
            (matrix[fit], matrix[held], fit, held)
            for matrix, (fit, held) in zip(matrices, folds, strict=True)
        ]
        trials.append((_best_penalty(parts, won), weighting))
    best, weighting = min(trials, key=lambda trial: trial[0].loss)
    model = everything.model(won, weighting, best.penalty, fewest_writers)
    return FittedText(model, rows, best.held_out, folds)


def fit_meaning(learned: FittedText, vectors: Vectors, data: TrainingData) -> FittedText:
    """The same model, reading beside the words what they mean.

    Words and meaning each have a model with a penalty of its own; a third weighs what both said
    out of fold (stacking, Wolpert 1992).
    """
    rows, won = learned.rows, data.won[learned.rows]
    matrix = np.array([vectors[row] for row in rows])
    regression, meant = _linear(matrix, won, learned.folds)
    said = np.column_stack([learned.held_out, meant])
    held_out = np.empty(len(rows))
    for fit, held in learned.folds:
        held_out[held] = _regression(said[fit], won[fit], WEIGHING).decision_function(said[held])
    weighing = _regression(said, won, WEIGHING)
    words, means = weighing.coef_[0].tolist()
    meaning = Meaning(
        embedding=VERSION,
        weights=tuple((means * regression.coef_[0]).tolist()),
        intercept=float(weighing.intercept_[0] + means * regression.intercept_[0]),
        words=words,
        usual=float(means * (meant - regression.intercept_[0]).mean()),
    )
    return replace(learned, model=replace(learned.model, meaning=meaning), held_out=held_out)


def fit_linear(
    matrix: Any, rows: NDArray[np.intp], data: TrainingData, *, seed: int
) -> tuple[Any, Floats] | None:
    """Logistic regression on any features of leads `rows`, and its log-odds out of fold.

    None where there are too few leads of either outcome.
    """
    won = data.won[rows]
    folds = _folds(won, data.part(rows), seed)
    return None if folds is None else _linear(matrix, won, folds)


def _linear(matrix: Any, won: NDArray[np.int8], folds: Folds) -> tuple[Any, Floats]:
    parts = [(matrix[fit], matrix[held], fit, held) for fit, held in folds]
    best = _best_penalty(parts, won)
    return _regression(matrix, won, best.penalty), best.held_out


def _folds(
    won: NDArray[np.int8], leads: Sequence[Lead], seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]] | None:
    """None where there are too few leads of either outcome, or one is in one fold alone."""
    if np.bincount(won, minlength=2).min() < FOLDS:
        return None
    folds = list(cross_validation(won, text_groups(leads), FOLDS, seed))
    return folds if all(len(np.unique(won[fit])) == 2 for fit, _ in folds) else None


def writer(lead: Lead) -> Hashable:
    """Who wrote it: leads with the same contact details, or else the same text, are one."""
    return tuple(sorted(lead.contacts.items())) or tuple(sorted(lead.texts.items()))


@dataclass(frozen=True)
class _Counted:
    """Terms of texts, counted; which terms there are is taken from some of the texts.

    matrix: 1 + ln(how often), shape (texts, terms). texts: learned from, that have the term, by
    outcome: lost, won; shape (2, terms). leads: learned from, by outcome.
    """

    terms: list[str]
    matrix: csr_matrix
    texts: NDArray[np.intp]
    leads: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        counts: Sequence[Counter[str]],
        writers: Sequence[Hashable],
        won: NDArray[np.int8],
        fit: NDArray[np.intp],
        fewest_writers: int,
    ) -> _Counted:
        wrote: dict[str, set[Hashable]] = {}
        texts: tuple[Counter[str], Counter[str]] = Counter(), Counter()
        for place in fit:
            texts[won[place]].update(counts[place].keys())
            for term in counts[place]:
                wrote.setdefault(term, set()).add(writers[place])
        usual = [term for term, by in wrote.items() if len(by) >= fewest_writers]
        lost, gained = texts
        terms = sorted(sorted(usual, key=lambda t: (-lost[t] - gained[t], t))[:MOST_TERMS])
        having = np.array([[having[term] for term in terms] for having in texts], dtype=np.intp)
        return cls(terms, _matrix(counts, terms), having, np.bincount(won[fit], minlength=2))

    def scales(self, weighting: Weighting) -> Floats:
        """What each term counts for."""
        if weighting is Weighting.IDF:
            scales = 1 + np.log((1 + self.leads.sum()) / (1 + self.texts.sum(axis=0)))
        else:
            shares = (1 + self.texts) / self.leads[:, None]
            scales = np.abs(np.log(shares[1] / shares[0]))
        return np.asarray(scales, dtype=np.float64)

    def weighed(self, scales: Floats) -> csr_matrix:
        """The matrix with rows of unit length."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        return normalize(csr_matrix(self.matrix.multiply(scales)), copy=False)

    def model(
        self, won: NDArray[np.int8], weighting: Weighting, penalty: float, fewest_writers: int
    ) -> TextModel:
        scales = self.scales(weighting)
        fitted = _regression(self.weighed(scales), won, penalty)
        weights = fitted.coef_[0]
        return TextModel(
            scales={term: float(v) for term, v in zip(self.terms, scales, strict=True)},
            weights={term: float(v) for term, v in zip(self.terms, weights, strict=True)},
            intercept=float(fitted.intercept_[0]),
            examples=len(won),
            fewest_writers=fewest_writers,
            weighting=weighting,
        )


def _matrix(counts: Sequence[Counter[str]], terms: Sequence[str]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    column = {term: i for i, term in enumerate(terms)}
    row, columns, values = [], [], []
    for place, counted in enumerate(counts):
        for term, n in counted.items():
            at = column.get(term)
            if at is not None:
                row.append(place)
                columns.append(at)
                values.append(1 + np.log(n))
    return csr_matrix((values, (row, columns)), shape=(len(counts), len(terms)))


class _Penalised(NamedTuple):
    """A penalty, and the log loss and log-odds out of fold under it."""

    loss: float
    penalty: float
    held_out: Floats


def _best_penalty(
    parts: Sequence[tuple[Any, Any, NDArray[np.intp], NDArray[np.intp]]], won: NDArray[np.int8]
) -> _Penalised:
    """The one with the least log loss out of fold."""
    tried: list[_Penalised] = []
    for penalty in PENALTIES:
        held_out = np.empty(len(won))
        for fit_matrix, held_matrix, fit, held in parts:
            fitted = _regression(fit_matrix, won[fit], penalty)
            held_out[held] = fitted.decision_function(held_matrix)
        tried.append(_Penalised(_loss(held_out, won), penalty, held_out))
    return min(tried, key=lambda one: one[:2])


def _loss(held_out: Floats, won: NDArray[np.int8]) -> float:
    return float(np.logaddexp(0, np.where(won == 1, -held_out, held_out)).mean())


def _regression(matrix: Any, won: NDArray[np.int8], penalty: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=penalty, max_iter=SOLVER_STEPS).fit(matrix, won)
