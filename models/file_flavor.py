"""An MLflow flavour for models that are a few files: the LLM, the redaction, the release.

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
    """Write each of `files` under its name, and MLflow's own `MLmodel` beside them.

    files: bytes as they are, anything else as JSON.
    """
    for name, content in files.items():
        file = Path(path) / name
        if isinstance(content, bytes):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        else:
            write_json(file, content)
    mlflow_model.add_flavor(FLAVOR_NAME, files=sorted(files))
    mlflow_model.save(str(Path(path) / "MLmodel"))
