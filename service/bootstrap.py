"""Bootstrap: the only place where the parts of a running service are put together."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY

from models.budget import CallBudget
from models.errors import LlmUnavailable, MissingExtra, ReleaseNotFound
from models.registry import Announce, Move, Registry
from models.release import Release
from service.desk import Desk
from service.errors import InvalidSettings, StorageUnavailable
from service.every import Every
from service.keys import KeyRing
from service.last_release import LastRelease
from service.ledger.checkpoint import SigningKey, key_file
from service.ledger.errors import InvalidSigningKey
from service.ledger.log import Log
from service.ledger.proofs import head
from service.ledger.verify import InvalidKey, KeyType, VerifierKey
from service.ledger.witness import WitnessClient, WitnessHome
from service.live_release import LiveRelease
from service.llm.adapter_loading import load_adapter
from service.llm.adapter_shelf import KEPT_FOLDER, AdapterShelf
from service.llm.endpoint import EMBEDDED, configured_endpoint, judge_at, prices
from service.metrics import Metrics, forget_the_dead
from service.privacy import Keeping
from service.recording.entry import MovedBecause
from service.recording.erasing import Erasing
from service.recording.release_change import record_promotion, record_release
from service.settings import Settings, metrics_folder
from service.storage.database import BUSY_TIMEOUT, is_there
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys, subject_secret
from service.storage.writing import no_keys
from service.storage.writing_process import Orders, WritingProcess
from service.witnessing import Witnessing

if TYPE_CHECKING:
    from features.redaction import Redactor
    from models.cascade import Cascade, Judge
    from models.sentence_embedding import Embedding

log = logging.getLogger("tiebreak.bootstrap")

RETENTION_PAUSE = timedelta(hours=1)
LEDGER_KEY_FILE = "ledger.key"
REDACTION_THREADS = 2  # redaction is CPU work: more threads only make each lead wait longer


def open_desk(settings: Settings) -> Desk:
    """Everything one worker needs. Reads no release yet: `Desk.start` does."""
    logging.getLogger("tiebreak").setLevel(settings.log_level)
    settings.home.mkdir(parents=True, exist_ok=True)
    subjects = open_subjects(settings)
    with suppress(StorageUnavailable):  # it comes back, and each use asks again
        subjects.require_secret()
    store = open_deciding_store(settings)
    metrics = process_metrics()
    live = LiveRelease(
        Registry(settings.mlflow_uri, is_polled=True),
        assemble=assembler(settings),
        metrics=metrics,
        poll=settings.release_poll,
        last=last_release(settings),
        record=partial(record_release, store),
        settle=gc.freeze,  # else a full collection holds every request up for tenths of a second
    )
    is_priced = prices(settings) is not None
    return Desk(
        live=live,
        store=store,
        subjects=subjects,
        keys=KeyRing(store),
        metrics=metrics,
        witnessing=witnessing(settings, store, metrics),
        retention=retention(settings, Erasing(store, subjects)),
        keeping=Keeping.of(settings),
        is_priced=is_priced,
    )


def witnessing(settings: Settings, store: Store, metrics: Metrics) -> Witnessing | None:
    """Who shows the ledger to its witness; None where there is none. Raises InvalidSettings."""
    client = witness_client(settings)
    return Witnessing(store, client, metrics) if client is not None else None


def witness_client(settings: Settings) -> WitnessClient | None:
    """The configured witness; None where there is none. Close it.

    Raises:
        InvalidSettings: its public key is missing, or is none.
    """
    if settings.witness_url is None:
        return None
    try:
        key = VerifierKey.parse(settings.witness_key or "")
    except InvalidKey:
        message = "TIEBREAK_WITNESS_KEY cannot be used: set it to the line the witness prints."
        raise InvalidSettings(message) from None
    return WitnessClient(settings.witness_url, key)


def asked_witness(settings: Settings) -> WitnessClient | WitnessHome | None:
    """Who tells what was cosigned: the configured witness, or the file of the one of our own.

    That one runs beside the log, and ends with `tiebreak up`; its file says the same. Close it.

    Raises:
        InvalidSettings: a public key is missing, or is none.
    """
    if settings.witness_url is not None or not (witness_home(settings) / "witness.vkey").exists():
        return witness_client(settings)
    try:
        return WitnessHome(witness_home(settings))
    except (InvalidKey, OSError) as error:
        message = f"The witness's public key under {witness_home(settings)} cannot be read."
        raise InvalidSettings(message) from error


def witness_home(settings: Settings) -> Path:
    """Where the witness that `tiebreak up` starts keeps its keys and what it saw."""
    return settings.home / "witness"


def with_own_witness(settings: Settings) -> Settings:
    """Settings with that witness, where it was ever started and no other is configured."""
    public = witness_home(settings) / "witness.vkey"
    if settings.witness_url is not None or not public.exists():
        return settings
    url = f"http://127.0.0.1:{settings.witness_port}"
    key = public.read_text(encoding="utf-8").strip()
    return settings.model_copy(update={"witness_url": url, "witness_key": key})


def retention(settings: Settings, erasing: Erasing) -> Every | None:
    """Who forgets subjects when their time is over; None where they are kept until erased."""
    if settings.retention_days is None:
        return None
    kept = timedelta(days=settings.retention_days)

    def expire() -> None:
        erasing.expire(kept)

    return Every("retention", RETENTION_PAUSE, expire)


def open_store(settings: Settings, *, subjects: StoredKeys | None = None) -> Store:
    """The ledger and what is beside it in its database. Close it.

    subjects: whose keys decisions are sealed with; none where nothing is decided.
    """
    keys_of = no_keys if subjects is None else subjects.make
    return Store(settings.database_url, Log(ledger_key(settings)), keys_of=keys_of)


def open_deciding_store(settings: Settings) -> Store:
    """The same for a process that decides: another one writes its decisions. Close it."""
    key = ledger_key(settings)
    orders = Orders(
        settings.database_url,
        settings.subject_keys_url,
        subject_secret(settings),
        key.text,
        BUSY_TIMEOUT,
    )
    return Store(settings.database_url, Log(key), units=WritingProcess(orders))


def open_subjects(settings: Settings) -> StoredKeys:
    """The keys of subjects. Close it."""
    return StoredKeys(settings.subject_keys_url, subject_secret(settings))


def ledger_key(settings: Settings) -> SigningKey:
    """What the ledger is signed with: set, or made once and kept under `home`.

    Raises:
        InvalidSettings: it cannot be read, or made.
    """
    try:
        if settings.ledger_key is not None:
            key = SigningKey.parse(settings.ledger_key.get_secret_value())
            if key.type is not KeyType.LOG:
                raise InvalidSigningKey("TIEBREAK_LEDGER_KEY is a witness's key, not a log's.")
            return key
        return key_file(settings.home / LEDGER_KEY_FILE, settings.ledger_name)
    except InvalidSigningKey as error:
        fix = "TIEBREAK_LEDGER_KEY is one line PRIVATE+KEY+..., TIEBREAK_LEDGER_NAME its name."
        raise InvalidSettings(f"The ledger cannot be signed. {error} {fix}") from None


def kept_ledger_key(settings: Settings) -> SigningKey:
    """The same, but never made: of a log that there is. Raises InvalidSettings."""
    if not keeps_ledger(settings):
        raise InvalidSettings(
            f"No key of a ledger is under {settings.home}. Name the ledger's folder in "
            "TIEBREAK_HOME, or set TIEBREAK_LEDGER_KEY"
        )
    return ledger_key(settings)


def open_kept_store(settings: Settings) -> Store:
    """A ledger that somebody wrote to before. Makes nothing where there is none. Close it.

    Raises:
        InvalidSettings: there is none, and whoever asks it must not be told that all is well.
    """
    kept_ledger_key(settings)
    if is_there(settings.database_url):
        with ExitStack() as closing_it:
            store = closing_it.enter_context(closing(open_store(settings)))
            with store.reading() as connection:
                has_entries = head(connection).size > 0
            if has_entries:
                closing_it.pop_all()
                return store
    raise InvalidSettings(
        "No entry of a ledger is here: it was not begun, or it is gone. Name where it is: "
        "TIEBREAK_HOME, or TIEBREAK_DATABASE_URL"
    )


def keeps_ledger(settings: Settings) -> bool:
    """Whether a ledger is kept here: then its key is, though there may be no entry yet."""
    return settings.ledger_key is not None or (settings.home / LEDGER_KEY_FILE).exists()


def has_ledger(settings: Settings) -> bool:
    """Whether one was begun here: its key alone may have been handed on, or the rest may be gone.

    Raises InvalidSettings.
    """
    return keeps_ledger(settings) and is_there(settings.database_url)


def announcing(settings: Settings, because: MovedBecause) -> Announce:
    """Who writes down that another release is about to go live; nobody where there is no ledger.

    It is not made for that: whoever moves the alias from another machine would begin a second one.
    Only a training begins one, with the key that it has made: it keeps one of what it asks anyway.
    """
    is_kept = keeps_ledger if because is MovedBecause.TRAINING else has_ledger

    def announce(move: Move) -> None:
        if is_kept(settings):
            with closing(open_store(settings)) as store:
                record_promotion(store, move, because)

    return announce


def last_release(settings: Settings) -> LastRelease:
    """Where the release that was live last is kept."""
    return LastRelease(settings.home / "releases")


def assembler(
    settings: Settings,
) -> Callable[[Release], Cascade]:
    """From a release to its cascade. Redactor, threads and call budget outlive each release."""
    threads = ThreadPoolExecutor(REDACTION_THREADS, thread_name_prefix="redaction")
    budget = CallBudget(settings.llm_max_calls_per_minute)

    def assemble(release: Release) -> Cascade:
        from models.cascade import Cascade

        provide_adapter(release, settings)
        return Cascade(
            release,
            redactor=redactor().allowing(release.spec.allow_list),
            judge=judge_of(release, settings, budget),
            budget=budget,
            threads=threads,
            embedding=embedding_of(release),
        )

    return assemble


@cache
def sentence_embedding() -> Embedding:
    """The sentence embedding of this process, loaded once. Raises MissingExtra."""
    from models.sentence_embedding import SentenceEmbedding

    embedding = SentenceEmbedding()
    embedding.load()
    return embedding


def embedding_of(
    release: Release, load: Callable[[], Embedding] = sentence_embedding
) -> Embedding | None:
    """What tells the meaning of texts, where the release's text model needs it.

    Raises:
        ReleaseNotFound: it is not installed here, or another version: another release goes on
            answering.
    """
    from models.sentence_embedding import VERSION

    meaning = release.text and release.text.meaning
    if not meaning:
        return None
    if meaning.embedding != VERSION:
        raise ReleaseNotFound(
            f"Release {release.version} reads texts with another sentence embedding than the one "
            "that is installed. Train again."
        )
    try:
        return load()
    except MissingExtra as error:
        message = f"Release {release.version} cannot read texts here. {error}"
        raise ReleaseNotFound(message) from error


@cache
def redactor() -> Redactor:
    """The redactor of this process: its language model takes a second and 100 MB."""
    from features.redaction import Redactor  # spaCy is slow to import

    return Redactor.load()


@cache
def process_metrics() -> Metrics:
    """The metrics of this process. Prometheus refuses a second set under the same names."""
    folder = metrics_folder()
    if folder is not None:  # it may stand in for a worker that died
        forget_the_dead(folder)
    return Metrics(REGISTRY)


def adapter_shelf(settings: Settings) -> AdapterShelf:
    """Where the embedded LLM finds the adapters of the releases that were live last."""
    return AdapterShelf(settings.home / "llm" / KEPT_FOLDER)


def provide_adapter(release: Release, settings: Settings) -> None:
    """Put the release's adapter where the embedded LLM takes it, and have it served.

    An LLM that is not there finds it when it starts; until then it breaks no ties.

    Raises:
        LlmUnavailable: it cannot use the adapter: another release goes on answering.
    """
    adapter = release.llm.adapter
    if adapter is None or release.llm.provider != EMBEDDED or settings.llm_base_url is not None:
        return
    file = adapter_shelf(settings).put(adapter, release.adapter_file)
    try:
        load_adapter(f"http://127.0.0.1:{settings.llm_port}", adapter.name, file)
    except LlmUnavailable as error:
        if error.cause != "connection":
            raise
        log.warning("The embedded LLM does not run. Its adapter is taken when it starts.")


def judge_of(release: Release, settings: Settings, budget: CallBudget) -> Judge:
    """Who breaks the tie for this release: the LLM it was fitted with, if it is configured here.

    Another LLM's verdicts mean something else than the release's combiner learned: then nobody.
    """
    from models.cascade import UnavailableJudge

    try:
        endpoint = configured_endpoint(settings)
    except LlmUnavailable as error:
        log.warning("%s Decisions are the classifier's alone.", error)
        return UnavailableJudge(error.cause)
    if not endpoint.answers_for(release.llm):
        log.warning(
            "Release %s was fitted with %s at %s, but %s at %s is configured. Train again, or "
            "configure that one. Decisions are the classifier's alone.",
            *(release.version, release.llm.model, release.llm.provider),
            *(endpoint.model, endpoint.provider),
        )
        return UnavailableJudge("other_llm")
    deadline = settings.llm_deadline
    return judge_at(endpoint, release.llm, settings, deadline=deadline, budget=budget)
