"""What several commands share: their options, and what they find on this machine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.llm.embedded_model import LAYERS
from service.settings import Settings, make_home, read_settings

if TYPE_CHECKING:
    from pipelines.train import TrainingOptions
    from service.storage.store import Store

Table = Annotated[Path, typer.Argument(help="CSV or Parquet file of past leads.")]
SpecPath = Annotated[Path, typer.Option("--spec", help="The lead spec.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Also over a file that is there.")]
DEFAULT_SPEC = Path("leads.toml")
Promote = Annotated[bool, typer.Option(help="Make it live if the gates pass.")]
LlmCalls = Annotated[
    int, typer.Option(min=0, help="Most calibration leads to ask the LLM about; 0: none.")
]
LlmTestCalls = Annotated[
    int,
    typer.Option(min=0, help="Most test leads to ask the LLM about; none where --llm-calls is 0."),
]
Trials = Annotated[int, typer.Option(min=1, help="Settings tried for the classifier.")]
A_WEEK = 7 * 24 * 60.0
Minutes = Annotated[
    float, typer.Option(min=0.5, max=A_WEEK, help="Most that tuning the LLM takes.")
]
Examples = Annotated[
    int | None, typer.Option(min=100, help="Most leads the LLM is tuned on, drawn by chance.")
]
Depth = Annotated[
    int | None,
    typer.Option(
        min=4,
        max=LAYERS,
        help="Layers of the LLM that are kept, the lowest: 8 answer in half the time of all 18. "
        "By default 8 where it learns from 2,000 leads or more (of a table of 3,900), else 18.",
    ),
]
MaxError = Annotated[
    float, typer.Option(min=0.01, max=0.5, help="Most errors outside the band, each side.")
]
MaxPull = Annotated[
    float,
    typer.Option(min=0, max=6, help="Most a text may move the log-odds; it gets what it earns."),
]
Embeddings = Annotated[
    bool,
    typer.Option(
        "--embeddings", help="Let the text model read what texts mean, too: extra `ladder`."
    ),
]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 2, help="The same seed gives the same classifier.")
]


def settings_here() -> Settings:
    """From the environment, with their folder. Raises InvalidSettings: it cannot be made, either.

    Whoever only asks takes `read_settings`, and makes nothing.
    """
    settings = read_settings()
    make_home(settings)
    return settings


def options_type() -> type[TrainingOptions]:
    """Importing it imports spaCy, and so torch where that is installed: its threads sleep first."""
    from pipelines.finetuning.machine_share import wait_asleep

    wait_asleep()
    from pipelines.train import TrainingOptions

    return TrainingOptions


def store_here() -> closing[Store]:
    """The database of keys, decisions and the ledger, to be closed."""
    from service.bootstrap import open_store

    return closing(open_store(settings_here()))
