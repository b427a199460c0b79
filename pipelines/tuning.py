"""Tuning: a small Optuna search for the booster, deterministic in its seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.encoding import Encoder
from pipelines.split import Indices, cross_validation

if TYPE_CHECKING:
    import optuna
    import xgboost

MAX_ROUNDS = 600
PATIENCE = 30  # rounds without a better held-out loss before a fold stops
SEARCH_FOLDS, FINAL_FOLDS = 3, 5
THREADS = 1  # fixed: another number of threads would sum floats in another order


@dataclass(frozen=True, slots=True)
class Tuned:
    """The booster fitted on the whole training part.

    held_out_margins: for each training row, the log-odds that boosters gave which had not seen it.
    """

    booster: xgboost.Booster
    params: dict[str, Any]
    rounds: int
    held_out_margins: NDArray[np.float64]
    held_out_loss: float


def tune(
    rows: NDArray[np.float32],
    won: NDArray[np.int8],
    groups: Indices,
    encoder: Encoder,
    *,
    trials: int,
    seed: int,
    on_trial: Callable[[], None] = lambda: None,
) -> Tuned:
    """Search `trials` settings by cross-validated log loss, then fit the best on everything.

    `on_trial` is called after each trial, for a progress display.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folds = list(cross_validation(won, groups, SEARCH_FOLDS, seed))
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8))

    def objective(trial: optuna.Trial) -> float:
        params = _suggest(trial, seed)
        boosters = [_fit_until_worse(rows, won, encoder, params, fold) for fold in folds]
        trial.set_user_attr("rounds", int(np.mean([b.best_iteration + 1 for b in boosters])))
        return float(np.mean([b.best_score for b in boosters]))

    study.optimize(objective, n_trials=trials, callbacks=[lambda *_: on_trial()])
    params, rounds = _suggest(study.best_trial, seed), study.best_trial.user_attrs["rounds"]
    final = cross_validation(won, groups, FINAL_FOLDS, seed + 1)
    margins = np.empty(len(won))
    for fit, held_out in final:
        booster = _fit(rows[fit], won[fit], encoder, params, rounds)
        margins[held_out] = booster.inplace_predict(rows[held_out], predict_type="margin")
    booster = _fit(rows, won, encoder, params, rounds)
    return Tuned(booster, params, rounds, margins, study.best_value)


def _suggest(trial: optuna.trial.BaseTrial, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "nthread": THREADS,
        "seed": seed,
        "max_bin": 128,
        "max_depth": trial.suggest_int("max_depth", 2, 7),
        "learning_rate": trial.suggest_float("learning_rate", 0.04, 0.2, log=True),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 20, log=True),
        "subsample": trial.suggest_float("subsample", 0.6, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.5, 20, log=True),
        "gamma": trial.suggest_float("gamma", 1e-3, 3, log=True),
    }


def _matrix(rows: NDArray[np.float32], won: NDArray[np.int8], encoder: Encoder) -> xgboost.DMatrix:
    import xgboost

    return xgboost.DMatrix(
        rows,
        label=won,
        feature_names=encoder.booster_names,
        feature_types=encoder.types,
        enable_categorical=True,
        nthread=THREADS,
    )


def _fit(
    rows: NDArray[np.float32],
    won: NDArray[np.int8],
    encoder: Encoder,
    params: dict[str, Any],
    rounds: int,
) -> xgboost.Booster:
    import xgboost

    return xgboost.train(params, _matrix(rows, won, encoder), num_boost_round=rounds)


def _fit_until_worse(
    rows: NDArray[np.float32],
    won: NDArray[np.int8],
    encoder: Encoder,
    params: dict[str, Any],
    fold: tuple[Indices, Indices],
) -> xgboost.Booster:
    import xgboost

    fit, held_out = (_matrix(rows[part], won[part], encoder) for part in fold)
    return xgboost.train(
        params,
        fit,
        num_boost_round=MAX_ROUNDS,
        evals=[(held_out, "held_out")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
