"""Loading a booster quickly: XGBoost without the wrappers that serving never uses."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import xgboost


def load_booster(path: Path) -> xgboost.Booster:
    """The booster in a file of XGBoost's own format. Raises xgboost.core.XGBoostError."""
    booster: xgboost.Booster = _xgboost().Booster(model_file=path)
    return booster


def _xgboost() -> ModuleType:
    """XGBoost; where it is not imported yet, without scikit-learn.

    XGBoost imports scikit-learn if it is there, for its estimators, and with it pandas and SciPy's
    statistics: four fifths of its import time, and some 100 MB, that a worker has no use for.
    A None in sys.modules makes an import fail (Python reference, 5.3.1), which XGBoost allows for.
    """
    if "xgboost" in sys.modules or "sklearn" in sys.modules:
        return importlib.import_module("xgboost")
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("xgboost")
    finally:
        del sys.modules["sklearn"]
