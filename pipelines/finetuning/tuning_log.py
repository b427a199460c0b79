"""TuningLog: what MLflow keeps of a tuning, and what is printed of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.finetuning.learning_curve import CurvePoint
from pipelines.finetuning.tuned_llm import TunedLlm

CURVE_MEASURES = ("auc", "log_loss", "settled_log_loss")


def tuning_metrics(llm: TunedLlm) -> dict[str, float]:
    """What it cost, and how it ended on the validation part."""
    tuned, adapter = llm.tuned, llm.adapter
    metrics: dict[str, float] = {
        "tuning_minutes": tuned.seconds / 60,
        "tuning_peak_memory_mib": float(adapter.peak_memory_mib or 0),
        "tuning_tokens_per_second": tuned.tokens_per_second,
        "tuning_examples": float(tuned.examples),
    }
    if llm.agreement is not None:
        shown = llm.agreement.to_json()
        metrics |= {f"agreement_{name}": float(value) for name, value in shown.items()}
    return metrics


def tuning_params(llm: TunedLlm) -> dict[str, Any]:
    """What it was made of: model, data, recipe."""
    adapter, lessons = llm.adapter, llm.lessons
    return {
        "tuning_adapter_sha256": adapter.digest,
        "tuning_base_sha256": adapter.base,
        "tuning_data_sha256": adapter.data,
        "tuning_leads": len(lessons.learning),
        "tuning_validation_leads": len(lessons.validation),
        "tuning_prompt": llm.prompt_version,
        "tuning_ending": llm.tuned.ending.value,
        **{f"tuning_{name}": value for name, value in llm.recipe.to_json().items()},
    }


def curve_metrics(curve: tuple[CurvePoint, ...]) -> Iterator[tuple[int, dict[str, float]]]:
    """(examples, measures on the validation part): MLflow draws them against the step."""
    for point in curve:
        yield point.examples, {f"tuning_{name}": getattr(point, name) for name in CURVE_MEASURES}


def tuning_tree(llm: TunedLlm) -> dict[str, Any]:
    """Everything about it that `--json` prints."""
    return {
        "adapter": llm.adapter.to_json(),
        "recipe": llm.recipe.to_json(),
        "prompt": llm.prompt_version,
        "curve": [point.to_json() for point in llm.tuned.curve],
        "ending": llm.tuned.ending.value,
        "agreement": llm.agreement.to_json() if llm.agreement else None,
    }


def tuning_lines(llm: TunedLlm) -> Iterator[str]:
    """The same for people: how it was tuned, what for, and whether what is served agrees."""
    adapter = llm.adapter
    yield (
        f"Tuned {adapter.name} on {adapter.examples:,} leads: "
        f"{adapter.minutes:.1f} minutes, {adapter.peak_memory_mib:,} MiB at most."
    )
    for point in llm.tuned.curve:
        yield (
            f"  after {point.examples:>6,} examples, on {len(llm.lessons.validation)} leads of the "
            f"validation part: AUC {point.auc:.3f}, log loss {point.log_loss:.3f} "
            f"({point.settled_log_loss:.3f} recalibrated)"
        )
    if llm.agreement is not None:
        yield f"Served and tuned model agree: {llm.agreement}."
