"""Registry: MLflow's model and prompt registry. Which release is live, and what it pins."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from features.redaction_policy import RedactionPolicy, shipped_files
from models.errors import RegistryUnavailable, ReleaseNotFound, ReleaseRefused, WrongAdapter
from models.llm_version import Api, LlmVersion
from models.prompt import EvidenceKind
from models.release import (
    ADAPTER_FILE,
    BESIDE_BOOSTER,
    CLASSIFIER_FOLDER,
    LLM_FILE,
    LLM_FOLDER,
    RELEASE_FILE,
    RELEASE_FOLDER,
    TEXT_FILE,
    TEXT_FOLDER,
    Release,
    save_beside_booster,
)
from models.text_model import TextModel

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel
    from mlflow.models import ModelSignature
    from mlflow.models.model import ModelInfo

CLASSIFIER, LLM, RELEASE = "lead-classifier", "lead-llm", "lead-release"
TEXT = "lead-text"
REDACTION = "lead-redaction"
PROMPTS = {kind: f"lead-verdict-{kind.value}" for kind in EvidenceKind}
PINNED = ("classifier", "text", "llm", "redaction")  # the tags of a release that name versions
FILE = "sqlite:///"  # begins the address of a database that is a file
SCHEME, AFTER_PATH = re.compile(r"[A-Za-z][\w+.-]*"), re.compile("[?#]")  # of an address
GATES, PASSED = "gates", "passed"  # a tag of a release; or which refused it
ASKS, NEVER = "asks", "never"  # a tag of a release; or the kinds of evidence
# Tags of a release.
OUTCOME, TEST_LEADS, LLM_TEST_LEADS = "outcome", "test_leads", "llm_test_leads"
PROMOTED_AT = "promoted_at"
REACHED_WITHIN_S = 3
POLLED_WITHIN_S = 10  # without a byte of an answer
CHAMPION, PREVIOUS = "champion", "previous"
LIVE_BEFORE = "live_before"  # a tag of lead-release: what promotions took over from, oldest first
LONGEST_WAY_BACK = 100  # rollbacks; a tag has a limit
DESCRIPTIONS = {
    CLASSIFIER: "The cheap first opinion: XGBoost on structured fields, calibrated. "
    "Its lead spec, feature order and calibrator are under extra_files/.",
    LLM: "The tie breaker: provider, model, prompts, decoding, answer schema and redaction policy; "
    "the adapter that it was tuned with, if any (adapter.gguf).",
    TEXT: "The second opinion: logistic regression over the weighed words of redacted texts. Each "
    "was written by many leads. A release has one only where it proved to help.",
    REDACTION: "What an LLM may see: the redaction policy, and the name recognizer that it names.",
    RELEASE: "What serves: pins one lead-classifier, one lead-llm and one lead-redaction, with the "
    "ambiguity band and the combiner that were fitted for them. The alias `champion` is live; move "
    "it with `tiebreak promote` and `tiebreak rollback`.",
}


def _give_up_early() -> None:
    """MLflow's client tries for minutes, unless whoever runs this has set how long."""
    from mlflow.environment_variables import (
        MLFLOW_HTTP_REQUEST_MAX_RETRIES,
        MLFLOW_HTTP_REQUEST_TIMEOUT,
    )

    limits = ((MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1), (MLFLOW_HTTP_REQUEST_TIMEOUT, POLLED_WITHIN_S))
    for limit, value in limits:
        if not limit.is_set():
            limit.set(value)


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """One line of `tiebreak releases`.

    gates: PASSED, or which refused it; "" for a release from before this was kept.
    test_leads: what the leads that it was tested on are told from others by: figures compare only
        where it is the same. llm_test_leads: of those that the LLM was asked about, too; "" where
        there are none. outcome: what it decides, e.g. "Converted = 1". All three are "" for a
        release from before this was kept.
    promoted_at: when it was made live last; "" where it never was.
    asks: what the LLM is asked about, or NEVER; "" for a release from before this was kept.
    text: the version of its text model; "" where it has none.
    """

    version: str
    created: datetime
    aliases: tuple[str, ...]
    classifier: str
    llm: str
    metrics: Mapping[str, str]
    gates: str
    test_leads: str = ""
    llm_test_leads: str = ""
    outcome: str = ""
    promoted_at: str = ""
    asks: str = ""
    text: str = ""

    @property
    def was_refused(self) -> bool:
        """By its gates: it goes live where somebody insists."""
        return self.gates not in {"", PASSED}


@dataclass(frozen=True, slots=True)
class Move:
    """The alias of the live release, about to move.

    before: what was live; None where nothing was. forced: to a release that its gates refused.
    """

    before: str | None
    release: str
    forced: bool = False


Announce = Callable[[Move], None]


def _to_nobody(_: Move) -> None:
    """Nobody writes it down."""


class Registry:
    """The registered models of one MLflow tracking server or database.

    It is reached when it is first asked: MLflow alone takes seconds to import.
    """

    def __init__(
        self,
        tracking_uri: str,
        *,
        is_polled: bool = False,
        elsewhere: str = "set TIEBREAK_MLFLOW_URI",
    ) -> None:
        """is_polled: asked again and again, so that one that is down is to be told at once.

        elsewhere: what whoever misses a release has to do where it is in another MLflow.
        """
        self.tracking_uri = tracking_uri
        self._is_polled = is_polled
        self._elsewhere = elsewhere

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient
        from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR

        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)  # a bar for each few kilobytes helps nobody
        if self._is_polled:
            _give_up_early()
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table it makes
        return MlflowClient(self.tracking_uri, self.tracking_uri)

    def require(self) -> Self:
        """Itself, where it answers: to be asked before work that it shall keep.

        Raises:
            RegistryUnavailable: within seconds; MLflow's own client tries for minutes.
        """
        try:
            if self.tracking_uri.startswith(("http://", "https://")):
                import requests  # as MLflow's own client does, through the same proxies

                health = f"{self.tracking_uri.rstrip('/')}/health"
                requests.get(health, timeout=REACHED_WITHIN_S).close()
            self._aliases()
        except Exception as error:  # its errors are of many libraries, and may quote a password
            name = type(error).__name__
            raise RegistryUnavailable(
                f"MLflow cannot be used at TIEBREAK_MLFLOW_URI ({name}). Start it, or correct the "
                "address; nothing was done."
            ) from None
        return self

    @property
    def address(self) -> str:
        """Of MLflow, to be shown."""
        return shown_address(self.tracking_uri)

    @property
    def is_missing(self) -> bool:
        """Whether it is a file that is not there: MLflow would make it for whoever only asks."""
        named = self.tracking_uri.removeprefix(FILE)
        is_file = self.tracking_uri.startswith(FILE) and not named.startswith("file:")
        return is_file and not Path(self.address).exists()

    @property
    def looked_in(self) -> str:
        """A sentence for whoever misses a release: where it was looked for, and what to do."""
        return f"Looked in {self.address}: if your releases are elsewhere, {self._elsewhere}."

    # -- what is live -----------------------------------------------------------------------

    def champion_version(self) -> str | None:
        """The live version of `lead-release`, None where nothing is. One look-up: cheap."""
        return None if self.is_missing else self._aliased(CHAMPION)

    def why_nothing_is_live(self) -> str:
        """For whoever misses the live release, and what to do. Looks at all that are registered."""
        known = self.releases()
        if not known:
            fix = f"Run `tiebreak train TABLE --promote` first. {self.looked_in}"
            return f"Nothing is live. {fix}"
        there = "1 release is" if len(known) == 1 else f"{len(known)} releases are"
        passed = next((release for release in known if not release.was_refused), None)
        if passed is not None:
            fix = f"`tiebreak promote {passed.version}` makes the newest that may be live."
            return f"Nothing is live, though {there} registered (`tiebreak releases`). {fix}"
        refused = "its gates refused it" if len(known) == 1 else "their gates refused them"
        return (
            f"Nothing is live: {there} registered, but {refused}. `tiebreak releases` says why; "
            f"`tiebreak promote {known[0].version} --force` makes the newest live all the same."
        )

    def releases(self) -> list[ReleaseSummary]:
        """All releases, newest first."""
        if self.is_missing:
            return []
        aliases = self._aliases()
        versions = self._client.search_model_versions(f"name='{RELEASE}'")
        ranked = sorted(versions, key=lambda v: -int(v.version))
        return [_summary(v, aliases.get(str(v.version), ())) for v in ranked]

    def promote(
        self,
        version: str | None = None,
        *,
        force: bool = False,
        announce: Announce = _to_nobody,
    ) -> str:
        """Make a release live (the newest, unless named). Returns its version.

        force: also one that its gates refused.
        announce: told before the alias moves, if it moves; where that raises, it stays.

        Raises:
            ReleaseNotFound: there is no such release.
            ReleaseRefused: its gates refused it.
        """
        known = self._known()
        version = version or next(iter(known))
        if version not in known:
            there = f"Known: {', '.join(known)}. {self.looked_in}"
            raise ReleaseNotFound(f"There is no release {version}. {there}")
        is_refused = known[version].was_refused
        if is_refused and not force:
            raise ReleaseRefused(
                f"Release {version} did not pass its gates ({known[version].gates}). Name another, "
                f"or make it live all the same: `tiebreak promote {version} --force`."
            )
        live = self.champion_version()
        if live != version:
            announce(Move(live, version, forced=is_refused))
        if live is not None and live != version:
            # First, and so never lost: what is live itself is no way back.
            self._remember([*self._way_back(live, known), live])
        self._go_live(version)
        return version

    def rollback(self, *, announce: Announce = _to_nobody) -> str:
        """Undo the last promotion that still stands. Returns the version that is live again.

        A second one goes one further back: what was rolled back from is not gone back to.

        announce: told before the alias moves; where that raises, it stays.

        Raises:
            ReleaseNotFound: no other release was live before.
        """
        live = self.champion_version()
        known = self._known()
        way_back = self._way_back(live, known)
        if not way_back:
            here = f"release {live}" if live else "now"
            raise ReleaseNotFound(
                f"No release was live before {here}, so there is no way back. `tiebreak releases` "
                "lists all there are; `tiebreak promote RELEASE` makes one of them live."
            )
        *further, version = way_back
        announce(Move(live, version, forced=known[version].was_refused))
        self._go_live(version)
        self._remember(further)
        return version

    # -- from the registry to a running release -----------------------------------------------

    def load(self, version: str, into: Path) -> Release:
        """Unpack a release and the models it pins under `into`, and load it.

        Raises:
            ReleaseNotFound: there is no such release, or one of its parts is gone.
        """
        from mlflow.exceptions import MlflowException

        if self.is_missing:
            raise ReleaseNotFound(f"There is no release {version}. {self.looked_in}")
        try:
            pinned = self._client.get_model_version(RELEASE, version).tags
            self._download(RELEASE, version, into / RELEASE_FOLDER)
            self._download(CLASSIFIER, pinned["classifier"], into / CLASSIFIER_FOLDER)
            self._download(LLM, pinned["llm"], into / LLM_FOLDER)
            if "text" in pinned:
                self._download(TEXT, pinned["text"], into / TEXT_FOLDER)
        except (MlflowException, OSError, KeyError) as error:
            message = f"Release {version} cannot be unpacked from MLflow ({type(error).__name__})."
            raise ReleaseNotFound(message) from error
        try:
            release = Release.load(into)
        except WrongAdapter as error:
            raise ReleaseNotFound(f"Release {version} is damaged in MLflow. {error}") from error
        return _registered(release, version, pinned)

    # -- from training to the registry --------------------------------------------------------

    def publish(
        self,
        release: Release,
        *,
        metrics: Mapping[str, float],
        test_leads: str = "",
        llm_test_leads: str = "",
        refused: Sequence[str] = (),
    ) -> Release:
        """Register both models, their prompts and the release that pins them.

        Must be called inside the MLflow run that trained them. Returns the registered release.

        test_leads, llm_test_leads: which leads the metrics are of, as in ReleaseSummary.
        refused: the gates that it did not pass, in words.
        """
        self._describe_models()
        classifier = self._publish_classifier(release, metrics)
        llm, version = self._publish_llm(release.llm, release.adapter_file)
        redaction = self._publish_redaction()
        pinned = replace(release, llm=llm)
        tags = {"classifier": classifier, "llm": version, "redaction": redaction}
        tags |= {} if release.text is None else {"text": self._publish_text(release.text)}
        gates = f"refused: {'; '.join(refused)}" if refused else PASSED
        tested = {TEST_LEADS: test_leads, LLM_TEST_LEADS: llm_test_leads}
        tags |= {OUTCOME: f"{release.spec.outcome} = {release.spec.won}", GATES: gates}
        tags |= {ASKS: ", ".join(sorted(release.policy.asks)) or NEVER}
        tags |= _rounded(metrics) | {k: v for k, v in tested.items() if v}
        pins = [f"lead-{name} {tags[name]}" for name in PINNED if name in tags]
        number = self._log_files(
            RELEASE,
            {RELEASE_FILE: pinned.pins()},
            tags=tags,
            about=f"Pins {', '.join(pins)}.",
            metadata={"pins": tags},
        )
        return _registered(pinned, number, tags)

    def _publish_classifier(self, release: Release, metrics: Mapping[str, float]) -> str:
        import mlflow.xgboost

        with tempfile.TemporaryDirectory() as folder:
            beside = Path(folder) / BESIDE_BOOSTER
            save_beside_booster(beside, release.classifier, release.spec)
            info = mlflow.xgboost.log_model(
                release.classifier.booster,
                name="classifier",
                model_format="ubj",
                signature=_signature(release),
                extra_files=[str(path) for path in sorted(beside.iterdir())],
                pip_requirements=[f"xgboost=={_installed('xgboost')}"],
            )
        about = "XGBoost with its calibrator, lead spec and feature order (extra_files/)."
        return self._register(CLASSIFIER, info, tags=_rounded(metrics), about=about)

    def _publish_llm(self, llm: LlmVersion, adapter: bytes | None) -> tuple[LlmVersion, str]:
        uris = {kind: self._publish_prompt(llm, kind) for kind in llm.prompts}
        llm = llm.with_prompt_uris(uris)
        version = self._log_files(
            LLM,
            {LLM_FILE: llm.to_json()} | ({} if adapter is None else {ADAPTER_FILE: adapter}),
            tags=_llm_tags(llm),
            about=_llm_about(llm),
            prompts=list(uris.values()),
        )
        return llm, version

    def _publish_text(self, text: TextModel) -> str:
        return self._log_files(
            TEXT,
            {TEXT_FILE: text.to_json()},
            tags={"digest": text.version},
            about=f"{len(text.scales):,} terms, weighed by {text.weighting}, each written by "
            f"{text.fewest_writers} leads or more"
            f"{'' if text.meaning is None else ', and what they mean (sentence embedding)'}.",
        )

    def _publish_redaction(self) -> str:
        """The version of what redacts here; a new one only where anything in it is new."""
        policy, files = RedactionPolicy.shipped(), shipped_files()
        hashed = hashlib.sha256()
        for name, content in sorted(files.items()):
            hashed.update(f"{name}\0{len(content)}\0".encode() + content)
        digest = hashed.hexdigest()
        for known in self._client.search_model_versions(f"name='{REDACTION}'"):
            if known.tags.get("sha256") == digest:
                return str(known.version)
        return self._log_files(
            REDACTION,
            files,
            tags={"policy": policy.version, "ner_weights": policy.ner_weights, "sha256": digest},
            about=f"Redaction policy {policy.version}, with its name recognizer.",
        )

    def _publish_prompt(self, llm: LlmVersion, kind: EvidenceKind) -> str:
        import mlflow.genai

        prompt = llm.prompts[kind]
        registered = mlflow.genai.register_prompt(
            name=PROMPTS[kind],
            template=prompt.template_chat if llm.api is Api.CHAT else prompt.template_text,
            commit_message=f"{len(prompt.examples)} worked examples, redacted training data",
            tags={"digest": prompt.version, "evidence": kind.value},
        )
        return str(registered.uri)

    def _log_files(
        self,
        name: str,
        files: Mapping[str, Any],
        *,
        tags: Mapping[str, str],
        about: str,
        metadata: Mapping[str, Any] | None = None,
        prompts: Sequence[str] = (),
    ) -> str:
        from mlflow.models import Model

        from models import file_flavor

        info = Model.log(
            artifact_path=None,
            name=name.removeprefix("lead-"),
            flavor=file_flavor,
            flavor_name=file_flavor.FLAVOR_NAME,
            metadata=dict(metadata or {}),
            prompts=list(prompts) or None,
            files=files,
        )
        return self._register(name, info, tags=tags, about=about)

    # -- small parts ----------------------------------------------------------------------------

    def _known(self) -> dict[str, ReleaseSummary]:
        """All releases by their versions, newest first. Raises ReleaseNotFound: there is none."""
        known = {release.version: release for release in self.releases()}
        if not known:
            fix = f"Train one: `tiebreak train TABLE --promote`. {self.looked_in}"
            raise ReleaseNotFound(f"There is no release yet. {fix}")
        return known

    def _register(self, name: str, info: ModelInfo, *, tags: Mapping[str, str], about: str) -> str:
        version = self._client.create_model_version(
            name,
            source=info.model_uri,
            run_id=info.run_id,
            tags=dict(tags),
            description=about,
            model_id=info.model_id,
        )
        return str(version.version)

    def _describe_models(self) -> None:
        from mlflow.exceptions import MlflowException

        for name, description in DESCRIPTIONS.items():
            try:
                self._client.create_registered_model(name, description=description)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise

    def _go_live(self, version: str) -> None:
        self._client.set_registered_model_alias(RELEASE, CHAMPION, version)
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        self._client.set_model_version_tag(RELEASE, version, PROMOTED_AT, stamp)

    def _way_back(self, live: str | None, known: Collection[str]) -> list[str]:
        """What rollbacks go to, the next one last: neither what is live, nor what was deleted."""
        model = self._releases_model()
        if model is None:
            return []
        previous = model.aliases.get(PREVIOUS, "")  # all that was kept before there was a tag
        kept = [v for v in model.tags.get(LIVE_BEFORE, str(previous)).split() if v in known]
        while kept and kept[-1] == live:
            kept.pop()
        return kept

    def _remember(self, way_back: Sequence[str]) -> None:
        """Keep it, and show by an alias where the next rollback goes."""
        kept = " ".join(way_back[-LONGEST_WAY_BACK:])
        self._client.set_registered_model_tag(RELEASE, LIVE_BEFORE, kept)
        if way_back:
            self._client.set_registered_model_alias(RELEASE, PREVIOUS, way_back[-1])
        else:
            self._client.delete_registered_model_alias(RELEASE, PREVIOUS)

    def _releases_model(self) -> RegisteredModel | None:
        """`lead-release`, None where nothing was ever trained."""
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_registered_model(RELEASE)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _aliases(self) -> dict[str, tuple[str, ...]]:
        model = self._releases_model()
        of: dict[str, tuple[str, ...]] = {}
        for alias, version in sorted(model.aliases.items()) if model else ():
            of[str(version)] = (*of.get(str(version), ()), alias)
        return of

    def _aliased(self, alias: str) -> str | None:
        found = (version for version, aliases in self._aliases().items() if alias in aliases)
        return next(found, None)

    def _download(self, name: str, version: str, folder: Path) -> None:
        from mlflow.artifacts import download_artifacts

        folder.parent.mkdir(parents=True, exist_ok=True)
        found = self._client.get_model_version(name, version)
        model_id = found.model_id or found.source.removeprefix("models:/")
        # By its location: a models:/ address would be looked up in MLflow's global registry.
        location = self._client.get_logged_model(model_id).artifact_location
        with tempfile.TemporaryDirectory(dir=folder.parent) as fetched:
            local = download_artifacts(location, dst_path=fetched, tracking_uri=self.tracking_uri)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.move(local, folder)


def _registered(release: Release, version: str, tags: Mapping[str, str]) -> Release:
    """`release` under the version numbers that the registry gave to it and what it pins."""
    numbers = {"release": version, **{name: str(tags[name]) for name in PINNED if name in tags}}
    return replace(release, version=version, versions={**numbers, **release.versions})


def _signature(release: Release) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    names = release.classifier.encoder.names
    inputs = Schema([ColSpec(DataType.float, name, required=False) for name in names])
    return ModelSignature(inputs=inputs, outputs=Schema([ColSpec(DataType.float)]))


def _llm_tags(llm: LlmVersion) -> dict[str, str]:
    tags = {"provider": llm.provider, "model": llm.model, "digest": llm.version}
    if llm.adapter is None:
        return tags
    adapter = llm.adapter
    return tags | {"adapter": adapter.digest, "base": adapter.base, "data": adapter.data}


def _llm_about(llm: LlmVersion) -> str:
    tuned = f", tuned on {llm.adapter.examples:,} outcomes" if llm.adapter else ""
    return f"{llm.model} at {llm.provider}{tuned}, redaction policy {llm.redaction_policy}."


def _summary(version: ModelVersion, aliases: tuple[str, ...]) -> ReleaseSummary:
    tags = dict(version.tags)
    created = datetime.fromtimestamp(version.creation_timestamp / 1000, tz=UTC)
    classifier, llm = tags.pop("classifier", "?"), tags.pop("llm", "?")
    tags.pop("redaction", None)
    kept = (GATES, TEST_LEADS, LLM_TEST_LEADS, OUTCOME, PROMOTED_AT, ASKS, "text")
    said = [tags.pop(tag, "") for tag in kept]
    return ReleaseSummary(str(version.version), created, aliases, classifier, llm, tags, *said)


def shown_address(address: str) -> str:
    """The address of a tracking server or database, without what may be secret in it.

    Whoever is named before the host is left out, and what follows a `?`: either may be a token, and
    a password may hold any sign.
    """
    if address.startswith(FILE):
        return address.removeprefix(FILE).partition("?")[0]
    scheme, is_one, rest = address.partition("://")
    if not is_one or not SCHEME.fullmatch(scheme):  # MLflow knows others, such as a folder
        return "TIEBREAK_MLFLOW_URI"
    before, _, where = rest.rpartition("@")
    if {"?", "#"} & set(before):  # in a password, or an @ behind them: nobody can tell
        return f"{scheme}://"
    return f"{scheme}://{AFTER_PATH.split(where)[0]}"


def _rounded(metrics: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{value:.4f}" for name, value in metrics.items()}


def _installed(package: str) -> str:
    from importlib.metadata import version

    return version(package)
