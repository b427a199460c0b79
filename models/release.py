"""Release: the one version that pins everything that takes part in a decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from features.encoding import Encoder
from features.lead_spec import LeadSpec
from models.booster import load_booster
from models.calibration import Calibrator
from models.classifier import Classifier
from models.combiner import Combiner
from models.errors import ReleaseNotFound
from models.llm_version import LlmVersion
from models.routing import RoutingPolicy
from models.text_model import TextModel

# Folders of an unpacked release, one for each registered model that it pins.
CLASSIFIER_FOLDER, LLM_FOLDER, RELEASE_FOLDER = "classifier", "llm", "release"
TEXT_FOLDER = "text"
BOOSTER_FILE, LLM_FILE, RELEASE_FILE = "model.ubj", "llm.json", "release.json"
TEXT_FILE = "text.json"
ADAPTER_FILE = "adapter.gguf"  # beside LLM_FILE, where the LLM was tuned
UNREGISTERED = "0"  # version of a release that MLflow does not know yet
BESIDE_BOOSTER = "extra_files"  # where MLflow's XGBoost flavour keeps what goes with the booster


@dataclass(frozen=True)
class Release:
    """Goes live, and back, as one.

    version: version of the registered model `lead-release`; UNREGISTERED until it is.
    versions: what each answer names, e.g. {"release": "7", "classifier": "9", ...}.
    examples: one typical value per column that a caller may send, for the docs page.
    fields_shown: the columns an LLM may see where a lead has no text, most telling first.
    adapter_file: content of the adapter that `llm` names, None where it names none.
    text: what reads texts between classifier and LLM; None exactly where `policy` knows of none.

    Raises:
        WrongAdapter: the file is not the one that is named.
        ReleaseNotFound: the text model is missing.
    """

    version: str
    spec: LeadSpec
    classifier: Classifier
    policy: RoutingPolicy
    combiner: Combiner
    llm: LlmVersion
    fields_shown: tuple[str, ...]
    versions: Mapping[str, str]
    examples: Mapping[str, object]
    adapter_file: bytes | None = field(default=None, repr=False)
    text: TextModel | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.llm.adapter is not None:
            self.llm.adapter.checked(self.adapter_file)
        if self.policy.text is not None:
            self.require_text()

    def save(self, folder: Path) -> None:
        """Write everything as JSON and XGBoost's own format under `folder`; nothing is pickled."""
        save_beside_booster(folder / CLASSIFIER_FOLDER / BESIDE_BOOSTER, self.classifier, self.spec)
        self.classifier.booster.save_model(folder / CLASSIFIER_FOLDER / BOOSTER_FILE)
        write_json(folder / LLM_FOLDER / LLM_FILE, self.llm.to_json())
        if self.adapter_file is not None:
            (folder / LLM_FOLDER / ADAPTER_FILE).write_bytes(self.adapter_file)
        if self.text is not None:
            write_json(folder / TEXT_FOLDER / TEXT_FILE, self.text.to_json())
        write_json(folder / RELEASE_FOLDER / RELEASE_FILE, self.pins())

    def require_text(self) -> TextModel:
        """The text model of a release whose policy has texts read by one.

        Raises:
            ReleaseNotFound: it is gone. Never of a release that was made: making it would fail.
        """
        if self.text is None:
            raise ReleaseNotFound(f"Release {self.version} lost its text model. Train again.")
        return self.text

    def pins(self) -> dict[str, Any]:
        """The release's own part: what is in no other registered model."""
        return {
            "version": self.version,
            "policy": self.policy.to_json(),
            "combiner": self.combiner.to_json(),
            "fields_shown": list(self.fields_shown),
            "versions": dict(self.versions),
            "examples": dict(self.examples),
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The release that `save` wrote, or that the registry unpacked. Raises WrongAdapter."""
        pins = read_json(folder / RELEASE_FOLDER / RELEASE_FILE)
        booster = load_booster(folder / CLASSIFIER_FOLDER / BOOSTER_FILE)
        beside = folder / CLASSIFIER_FOLDER / BESIDE_BOOSTER
        adapter, text = folder / LLM_FOLDER / ADAPTER_FILE, folder / TEXT_FOLDER / TEXT_FILE
        return cls(
            version=pins["version"],
            spec=LeadSpec.from_mapping(
                read_json(beside / "lead_spec.json"), source="the release's lead_spec.json"
            ),
            classifier=Classifier(
                booster,
                Encoder.from_json(read_json(beside / "encoder.json")),
                Calibrator.from_json(read_json(beside / "calibrator.json")),
            ),
            policy=RoutingPolicy.from_json(pins["policy"]),
            combiner=Combiner.from_json(pins["combiner"]),
            llm=LlmVersion.from_json(read_json(folder / LLM_FOLDER / LLM_FILE)),
            fields_shown=tuple(pins["fields_shown"]),
            versions=pins["versions"],
            examples=pins["examples"],
            adapter_file=adapter.read_bytes() if adapter.exists() else None,
            text=TextModel.from_json(read_json(text)) if text.exists() else None,
        )


def save_beside_booster(folder: Path, classifier: Classifier, spec: LeadSpec) -> None:
    """Write what goes with the booster: lead spec, feature order and categories, calibrator."""
    write_json(folder / "lead_spec.json", spec.to_mapping())
    write_json(folder / "encoder.json", classifier.encoder.to_json())
    write_json(folder / "calibrator.json", classifier.calibrator.to_json())


def write_json(path: Path, tree: Any) -> None:
    """Write readable JSON, making the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The JSON in a file. Raises OSError or json.JSONDecodeError."""
    return json.loads(path.read_text(encoding="utf-8"))
