"""An MLflow flavour for models that are only JSON: `lead-llm` and `lead-release`.

`Model.log` calls `save_model` of the module it is given; what it writes is what is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.release import write_json

if TYPE_CHECKING:
    from mlflow.models import Model

FLAVOR_NAME = "tiebreak"


def save_model(path: str, mlflow_model: Model, files: Mapping[str, Any]) -> None:
    """Write each JSON tree of `files` under its name, and MLflow's own `MLmodel` beside them."""
    for name, tree in files.items():
        write_json(Path(path) / name, tree)
    mlflow_model.add_flavor(FLAVOR_NAME, files=sorted(files))
    mlflow_model.save(str(Path(path) / "MLmodel"))
