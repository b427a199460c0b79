"""Train: a table of past leads becomes a release, evaluated on leads that chose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from features.lead_spec import LeadSpec
from features.redaction import Redactor
from models.answer import NO_ANSWER
from models.band import EVERYTHING
from models.combiner import DEFAULT_BOUND
from models.errors import TrainingRefused
from models.evidence import FIELDS_SHOWN
from models.llm_version import Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt
from models.release import UNREGISTERED, Release
from models.sentence_embedding import Embedding, SentenceEmbedding
from models.verdict import LlmJudge
from pipelines.display import Display
from pipelines.evaluation import Comparison, compare, judge_leads
from pipelines.example_lead import example_lead
from pipelines.finetuning.machine_share import INSTALL, MachineShare, can_tune, is_listening
from pipelines.finetuning.tuned_llm import TunedLlm, tune_llm
from pipelines.finetuning.tuning_gate import tuning_gate
from pipelines.finetuning.tuning_log import tuning_metrics
from pipelines.finetuning.tuning_offer import tuning_offer
from pipelines.finetuning.tuning_options import TuningOptions
from pipelines.fitting import FittedClassifier, fit_classifier
from pipelines.gates import Gate, check_gates
from pipelines.guessed_names import namesakes_note
from pipelines.kept_answers import KeptAnswers
from pipelines.metrics import Interval, Measure, difference, with_interval
from pipelines.reading import NotRead, Reading, fit_reading
from pipelines.table_texts import embedded_texts, redacted_texts
from pipelines.tie_breaking import (
    TieBreaking,
    build_prompts,
    draw_test_calls,
    fit_tie_breaking,
    sample_calls,
)
from pipelines.training_data import TrainingData, read_training_data
from pipelines.verdicts import Call, Verdicts, Witness, ask_about
from service.llm.adapter_loading import adapter_tried_out
from service.llm.endpoint import LlmEndpoint, judge_at
from service.recording.question_record import QuestionRecord
from service.settings import Settings

NO_PROMPTS: Mapping[EvidenceKind, Prompt] = {}
PATIENT = timedelta(seconds=60)  # nobody waits for a single answer here
MAX_FAILED = 0.2  # share of calls without a verdict above which the figures mean nothing


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What a person may choose.

    llm_calls: most calibration leads the LLM is asked about; llm_test_calls: most test leads.
    max_error, confidence: what the band guarantees about classifier-only decisions.
    max_pull: most that a text may move the log-odds, either way; it gets what it has earned.
    tuning: of the embedded LLM on this table's outcomes; None for none.
    text_model: read texts with a small model before any LLM, where it proves to help.
    embeddings: it may read what they mean, too, where that proves to help.
    """

    trials: int = 20
    llm_calls: int = 200
    llm_test_calls: int = 200
    max_error: float = 0.10
    confidence: float = 0.95
    max_pull: float = DEFAULT_BOUND
    always_ask: bool = False
    seed: int = 0
    tuning: TuningOptions | None = None
    text_model: bool = True
    embeddings: bool = False


@dataclass(frozen=True)
class Trained:
    """Everything one training found out, before any of it is stored.

    text_change: log loss with the text model minus the classifier's, on all test leads, where no
        LLM is asked; None where there is no text model.
    unread: why there is none, where one was tried.
    """

    options: TrainingOptions
    data: TrainingData
    fitted: FittedClassifier
    tie_breaking: TieBreaking
    release: Release
    measures: dict[Measure, Interval]
    calibration_verdicts: Verdicts | None
    test_verdicts: Verdicts | None
    comparison: Comparison | None
    gates: tuple[Gate, ...]
    tuned: TunedLlm | None = None
    reading: Reading | None = None
    text_change: Interval | None = None
    unread: NotRead | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Flat names and values, for MLflow and for `--json`."""
        flat = {f"test_{m.value}": interval.value for m, interval in self.measures.items()}
        flat["band_share"] = self._band_share
        if self.comparison:
            for line in self.comparison.lines:
                name = line.name.replace(" ", "_")
                flat |= {f"{name}_{m.value}": v.value for m, v in line.measures.items()}
                flat[f"{name}_llm_share"] = line.llm_share
            if saving := self.comparison.without_text:
                flat |= {
                    "llm_calls_saved_share": saving.share,
                    "llm_calls_saved_loss": saving.loss.value,
                    "llm_calls_saved_share_at_same_loss": saving.share_at_same_loss,
                }
            for m, change in self.comparison.changes.items():
                name = f"hybrid_{m.value}_change"
                flat |= {name: change.value}
                flat |= {f"{name}_low": change.low, f"{name}_high": change.high}
        if by_text := self.text_change:
            flat |= {"text_model_log_loss_change": by_text.value}
        return flat | (tuning_metrics(self.tuned) if self.tuned else {})

    @property
    def notes(self) -> tuple[str, ...]:
        """What the text model and the LLM are worth, in words: for whoever reports, once."""
        return (*self.text_notes, *self.tie_breaking.notes)

    @property
    def test_leads(self) -> str:
        """Which leads the figures test_... are of."""
        return self.data.naming(self.fitted.split.test)

    @property
    def llm_test_leads(self) -> str:
        """Which of them those of the hybrid are of; "" where the LLM was asked about none."""
        verdicts = self.test_verdicts
        return self.data.naming(verdicts.rows) if self.comparison and verdicts else ""

    @property
    def text_notes(self) -> tuple[str, ...]:
        """What the text model is worth and spares the LLM, or why there is none, in words."""
        if self.reading is None:
            return (self.unread.note,) if self.unread else ()
        notes, change = [self.reading.note], self.text_change
        if change is not None:
            notes.append(
                f"Text model on {len(self.fitted.split.test):,} test leads, no LLM asked: log loss "
                f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]."
            )
        if self.comparison and (saving := self.comparison.without_text):
            notes.append(f"Text model: {saving}.")
        return tuple(notes)

    @property
    def _band_share(self) -> float:
        test = self.fitted.probabilities[self.fitted.split.test]
        return float(self.fitted.band.covers(test).mean())


def train(
    table: Path,
    spec: LeadSpec,
    options: TrainingOptions,
    *,
    endpoint: LlmEndpoint,
    settings: Settings,
    record: QuestionRecord,
    display: Display,
) -> Trained:
    """Fit and evaluate everything; store nothing. The LLM must be running at `endpoint`.

    Raises:
        UnusableTable, TrainingRefused: the table or the spec cannot give an honest model.
    """
    with display.stage(f"Reading {table.name}"):
        data = read_training_data(table, spec)
    return train_on(
        data, options, endpoint=endpoint, settings=settings, record=record, display=display
    )


def train_on(
    data: TrainingData,
    options: TrainingOptions,
    *,
    endpoint: LlmEndpoint,
    settings: Settings,
    record: QuestionRecord,
    display: Display,
) -> Trained:
    """The same for a table that was read. Raises TrainingRefused, MissingExtra."""
    # What cannot be done is said before the search, which takes minutes.
    embedding = SentenceEmbedding() if options.embeddings else None
    if options.tuning:
        _require_tunable(endpoint)
    display.say(f"Read {len(data.leads):,} leads, {data.won.mean():.1%} won.")
    if note := namesakes_note(data.spec.allow_list):
        display.say(note)
    fitted = fit_shown(data, options, display)
    display.say(_said_of(fitted, options))
    if options.tuning is None and endpoint.is_embedded and (offer := tuning_offer(data, fitted)):
        display.say(offer)
    preparing = _Preparing(data, fitted, endpoint, options, settings, display)
    witness = witness_of(data, fitted)
    with preparing.llm(witness) as (llm, tuned):
        kept = tuned.answers if tuned else None
        inquiry = _Inquiry(data, witness, llm, endpoint, settings, record, display, kept)
        checked = tuned and tuned.checked(partial(inquiry.ask, what="validation"))
        return _fit_and_evaluate(inquiry, fitted, checked, options, embedding)


def _require_tunable(endpoint: LlmEndpoint) -> None:
    """Raises TrainingRefused."""
    if not endpoint.is_embedded:
        raise TrainingRefused("Only the embedded LLM can be tuned: unset TIEBREAK_LLM_BASE_URL.")
    if not can_tune():
        raise TrainingRefused(INSTALL)


def _fit_and_evaluate(
    inquiry: _Inquiry,
    fitted: FittedClassifier,
    tuned: TunedLlm | None,
    options: TrainingOptions,
    embedding: Embedding | None,
) -> Trained:
    data, llm, witness, display = inquiry.data, inquiry.llm, inquiry.witness, inquiry.display
    read = _read(data, fitted, witness, options, embedding, display)
    reading, unread = (read, None) if isinstance(read, Reading) else (None, read)
    kinds = tuple(llm.prompts)
    seed = options.seed
    sampled = sample_calls(data, fitted, witness, kinds, calls=options.llm_calls, seed=seed)
    calibration = inquiry.ask(sampled, "calibration")
    fit = partial(
        fit_tie_breaking,
        *(fitted, calibration, data.won, kinds),
        bound=options.max_pull,
        always_ask=options.always_ask,
        groups=data.groups,
    )
    tie_breaking = fit(reading=reading)
    drawn = draw_test_calls(data, fitted, witness, kinds, calls=options.llm_test_calls, seed=seed)
    test = inquiry.ask(drawn if calibration else [], "test")
    with display.stage("Evaluating on test leads"):
        measures = _measures(data, fitted, options.seed)
        comparison = None
        if calibration and test:
            judged = partial(judge_leads, data, fitted, calibration=calibration, test=test)
            comparison = compare(
                judged(tie_breaking, reading=reading),
                without_text=judged(fit()) if reading else None,
                seed=options.seed,
            )
        text_change = _text_change(data, fitted, reading, seed) if reading else None
        gates = check_gates(
            measures,
            comparison,
            probabilities=fitted.probabilities[fitted.split.test],
            seed=seed,
            text_change=text_change,
            may_pull=bool(tie_breaking.combiner.pulls),
        )
    return Trained(
        options=options,
        data=data,
        fitted=fitted,
        tie_breaking=tie_breaking,
        release=_release(data, fitted, tie_breaking, llm, witness, tuned, reading),
        measures=measures,
        calibration_verdicts=calibration,
        test_verdicts=test,
        comparison=comparison,
        gates=gates + ((tuning_gate(comparison),) if tuned else ()),
        tuned=tuned,
        reading=reading,
        text_change=text_change,
        unread=unread,
    )


def _read(
    data: TrainingData,
    fitted: FittedClassifier,
    witness: Witness,
    options: TrainingOptions,
    embedding: Embedding | None,
    display: Display,
) -> Reading | NotRead | None:
    """The text model, where it proves to help; None where there is no text, or it is not wanted."""
    if not data.spec.texts or not options.text_model:
        return None
    texts = redacted_texts(data, witness, display)
    return fit_reading(
        data,
        fitted,
        texts,
        vectors=embedded_texts(texts, embedding, display) if embedding else {},
        bound=options.max_pull,
        max_error=options.max_error,
        confidence=options.confidence,
        seed=options.seed,
    )


def fit_shown(data: TrainingData, options: TrainingOptions, display: Display) -> FittedClassifier:
    """`fit_classifier`, with its progress."""
    with display.bar("Searching for the best classifier", options.trials) as advance:
        return fit_classifier(
            data,
            trials=options.trials,
            max_error=options.max_error,
            confidence=options.confidence,
            seed=options.seed,
            on_trial=advance,
        )


def witness_of(data: TrainingData, fitted: FittedClassifier) -> Witness:
    """Who redacts the leads of this table."""
    structured = {column.name for column in data.spec.features}
    telling = [c for c in fitted.classifier.columns_by_gain if c in structured]
    redactor = Redactor.load().allowing(data.spec.allow_list)
    return Witness(redactor, fitted.classifier.encoder, tuple(telling[:FIELDS_SHOWN]))


def llm_at(
    endpoint: LlmEndpoint, witness: Witness, prompts: Mapping[EvidenceKind, Prompt] = NO_PROMPTS
) -> LlmVersion:
    """The version of the LLM at an endpoint, asked with these prompts."""
    return LlmVersion(
        provider=endpoint.provider,
        model=endpoint.model,
        api=endpoint.api,
        prompts=prompts,
        redaction_policy=witness.redactor.policy_version,
        decoding=Decoding.for_api(endpoint.api),
        weights=endpoint.weights,
    )


@dataclass(frozen=True)
class _Preparing:
    """Makes the version of the LLM that is asked: with worked examples, or tuned."""

    data: TrainingData
    fitted: FittedClassifier
    endpoint: LlmEndpoint
    options: TrainingOptions
    settings: Settings
    display: Display

    @contextmanager
    def llm(self, witness: Witness) -> Iterator[tuple[LlmVersion, TunedLlm | None]]:
        """The version, and how it was tuned; inside the block its adapter is served."""
        if self.options.tuning is None:
            with self.display.stage("Redacting worked examples"):
                seed = self.options.seed
                prompts = build_prompts(self.data, self.fitted, witness, seed=seed)
            yield llm_at(self.endpoint, witness, prompts), None
            return
        tuned = self._tuned(witness, self.options.tuning)
        with adapter_tried_out(self.endpoint.address, tuned.adapter, tuned.file):
            yield tuned.version, tuned

    def _tuned(self, witness: Witness, options: TuningOptions) -> TunedLlm:
        settings = self.settings
        return tune_llm(
            self.data,
            self.fitted,
            witness,
            llm_at(self.endpoint, witness),
            options,
            home=settings.home,
            share=MachineShare.beside(is_busy=is_listening(settings.port, settings.host_to_ask)),
            seed=self.options.seed,
            display=self.display,
        )


@dataclass(frozen=True)
class _Inquiry:
    """Asks one version of the LLM about leads of the table."""

    data: TrainingData
    witness: Witness
    llm: LlmVersion
    endpoint: LlmEndpoint
    settings: Settings
    record: QuestionRecord
    display: Display
    kept: KeptAnswers | None = None

    def ask(self, calls: Sequence[Call], what: str) -> Verdicts | None:
        """Verdicts on these leads; None where there are none to ask about."""
        if not calls:
            return None
        with self.display.bar(f"Asking the LLM about {what} leads", len(calls)) as advance:
            verdicts = ask_about(
                self.data.leads,
                calls,
                witness=self.witness,
                open_judge=self._open_judge,
                record=self.record,
                concurrency=self.settings.llm_max_concurrency,
                on_answer=advance,
                kept=self.kept,
            )
        require_answers(verdicts, is_tuned=self.llm.adapter is not None)
        return verdicts

    def _open_judge(self) -> LlmJudge:
        return judge_at(self.endpoint, self.llm, self.settings, deadline=PATIENT)


def require_answers(verdicts: Verdicts, *, is_tuned: bool = False) -> None:
    """Raises TrainingRefused where so many calls failed that the figures mean nothing.

    Leads that nobody was asked about are no failures of it: those without evidence, and those whose
    text cannot be redacted.

    is_tuned: an adapter of our own was asked.
    """
    unanswered, asked = verdicts.unanswered, verdicts.asked
    failed = sum(unanswered.values())
    if failed > MAX_FAILED * asked:
        causes = ", ".join(f"{cause}: {n}" for cause, n in sorted(unanswered.items()))
        remedy = (
            "Check TIEBREAK_LLM_BASE_URL, _API_KEY and _MODEL, or train without it: --llm-calls 0."
        )
        if is_tuned:
            remedy = "The same command goes on from where it was."
            if unanswered.get(NO_ANSWER, 0) > MAX_FAILED * asked:
                remedy = "It learned too little to say yes or no: give it more --minutes or leads."
        raise TrainingRefused(
            f"The LLM gave no verdict on {failed} of {asked} leads ({causes}). {remedy}"
        )


def _measures(data: TrainingData, fitted: FittedClassifier, seed: int) -> dict[Measure, Interval]:
    rows = fitted.split.test
    probabilities, won = fitted.probabilities[rows], data.won[rows]
    groups = data.groups[rows]
    return {m: with_interval(m, probabilities, won, groups=groups, seed=seed) for m in Measure}


def _text_change(
    data: TrainingData, fitted: FittedClassifier, reading: Reading, seed: int
) -> Interval:
    rows = fitted.split.test
    pair = reading.decided(fitted, rows), fitted.probabilities[rows]
    return difference(Measure.LOG_LOSS, *pair, data.won[rows], groups=data.groups[rows], seed=seed)


def _release(
    data: TrainingData,
    fitted: FittedClassifier,
    tie_breaking: TieBreaking,
    llm: LlmVersion,
    witness: Witness,
    tuned: TunedLlm | None,
    reading: Reading | None,
) -> Release:
    return Release(
        version=UNREGISTERED,
        spec=data.spec,
        classifier=fitted.classifier,
        policy=tie_breaking.policy,
        combiner=tie_breaking.combiner,
        llm=llm,
        fields_shown=witness.fields_shown,
        versions={
            "lead_spec": data.spec.digest[:12],
            **{f"prompt_{kind}": prompt.version for kind, prompt in llm.prompts.items()},
            "llm_digest": llm.version,
            "redaction_policy": llm.redaction_policy,
            **({"text_model": reading.model.version} if reading else {}),
        },
        examples=example_lead(data, fitted.classifier.encoder),
        adapter_file=tuned.file if tuned else None,
        text=reading.model if reading else None,
    )


def _said_of(fitted: FittedClassifier, options: TrainingOptions) -> str:
    parts, band = fitted.split, fitted.band
    sizes = f"{len(parts.train):,} / {len(parts.calibration):,} / {len(parts.test):,}"
    test = fitted.probabilities[parts.test]
    split = f"Split {sizes} ({parts.by}). Calibrated by {fitted.classifier.calibrator.method}. "
    if band == EVERYTHING:
        return (
            f"{split}The classifier can decide nothing alone with at most {options.max_error:.0%} "
            "errors on either side: every lead is ambiguous."
        )
    return (
        f"{split}Band ({max(band.low, 0):.2f}, {min(band.high, 1):.2f}): outside it at most "
        f"{options.max_error:.0%} of decisions are wrong; {band.covers(test).mean():.0%} of test "
        "leads are inside."
    )
