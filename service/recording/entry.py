"""What each kind of entry says. `docs/audit.md` lists them.

No personal data in clear: what was read of a lead, what was sent to an LLM and what it quoted are
sealed under the key of whom the lead is about. Fields are added, never renamed: `v` counts changes
that a reader must know of.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from features.fingerprint import SubjectKey
from features.redaction import RedactedSpan
from models.cascade import Leaving
from models.llm_version import LlmVersion
from models.registry import Move
from models.verdict import LlmCall
from service.ledger.draft import Draft
from service.storage.unit import Unsealed

SERVICE = "service"  # in place of an API key: nobody asked, it was time
COMMAND_LINE = "command"  # in place of an API key: whoever is at the machine


class Kind(StrEnum):
    """What happened."""

    DECISION = "decision"  # a lead was decided on
    REDACTION = "redaction"  # a text was redacted, to be sent; or could not be
    LLM_CALL = "llm_call"  # one request to an LLM, whatever became of it
    OUTCOME = "outcome"  # how a lead ended
    OVERRIDE = "override"  # a person decided otherwise
    PROMOTION = "promotion"  # somebody is about to make another release live
    RELEASE = "release"  # another release answers from now on
    ERASURE = "erasure"  # a subject's key is destroyed
    READ = "read"  # somebody read the log


class Purpose(StrEnum):
    """Why an LLM was asked."""

    DECISION = "decision"
    TRAINING = "training"


class Because(StrEnum):
    """Why a person decided otherwise. Words of their own could be about people."""

    KNOWS_MORE = "knows_more"  # than the lead's columns and text say
    DATA_WRONG = "data_wrong"
    POLICY = "policy"  # the house has another rule for such leads
    OBJECTION = "objection"  # the lead objected (GDPR Art. 21 and 22)
    OTHER = "other"


class MovedBecause(StrEnum):
    """What made another release live."""

    PROMOTE = "promote"  # `tiebreak promote`
    ROLLBACK = "rollback"  # `tiebreak rollback`
    TRAINING = "training"  # `--promote`, or the first sample


class ErasedBecause(StrEnum):
    """Why a key was destroyed."""

    REQUEST = "request"  # GDPR Art. 17
    RETENTION = "retention"  # its time was over


def redaction(leaving: Leaving, key: SubjectKey, question_id: str, purpose: Purpose) -> Draft:
    """A text that is about to leave, as the LLM is shown it (sealed)."""
    known = {
        "failed": False,
        "policy": leaving.redaction.policy,
        "evidence": leaving.kind.value,
        "prompt": leaving.prompt,
        "spans": [_span(span) for span in leaving.redaction.events],
    }
    fields = _redaction_fields(question_id, purpose) | known
    within = {"shown": leaving.shown}
    return Unsealed.of(Kind.REDACTION.value, question_id, fields, within).sealed_by(key)


def failed_redaction(question_id: str, purpose: Purpose) -> Unsealed:
    """A text that could not be redacted, and so did not leave."""
    fields = _redaction_fields(question_id, purpose) | {"failed": True}
    return Unsealed.of(Kind.REDACTION.value, question_id, fields, None)


def _redaction_fields(question_id: str, purpose: Purpose) -> dict[str, Any]:
    """What is known of a redaction before there is one."""
    return {
        "question_id": question_id,
        "purpose": purpose.value,
        "policy": None,
        "evidence": None,
        "prompt": None,
        "spans": [],
    }


def _span(span: RedactedSpan) -> dict[str, Any]:
    return {
        "type": span.entity_type,
        "start": span.start,
        "end": span.end,
        "score": span.score,
        "recognizer": span.recognizer,
        "version": span.version,
        "operator": span.operator.value,
        "fingerprint": span.fingerprint,
    }


def llm_call(call: LlmCall, llm: LlmVersion, question_id: str, purpose: Purpose) -> Draft:
    """One request to an LLM."""
    fields = {
        "question_id": question_id,
        "purpose": purpose.value,
        "call_id": call.id,
        "request_id": call.request_id,
        "provider": llm.provider,
        "model": llm.served_as,
        "llm": llm.version,
        "status": call.status,
        "cause": call.cause,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "latency_ms": round(1000 * call.latency_s, 3),
    }
    return Draft.of(Kind.LLM_CALL.value, question_id, fields)


def outcome(decision_id: str, *, won: bool, key_id: str) -> Draft:
    """How a lead ended."""
    fields = {"decision_id": decision_id, "won": won, "key": key_id}
    return Draft.of(Kind.OUTCOME.value, decision_id, fields)


def override(decision_id: str, *, pursue: bool, because: Because, key_id: str) -> Draft:
    """A person decided otherwise."""
    fields = {
        "decision_id": decision_id,
        "pursue": pursue,
        "because": because.value,
        "key": key_id,
    }
    return Draft.of(Kind.OVERRIDE.value, decision_id, fields)


def promotion(move: Move, *, because: MovedBecause, key_id: str) -> Draft:
    """Somebody is about to make another release live; `release` says when it answers."""
    fields = {
        "release": move.release,
        "before": move.before,
        "forced": move.forced,
        "because": because.value,
        "key": key_id,
    }
    return Draft.of(Kind.PROMOTION.value, None, fields)


def release(version: str, versions: Mapping[str, str]) -> Draft:
    """Another release answers from now on."""
    fields = {"release": version, "versions": dict(versions)}
    return Draft.of(Kind.RELEASE.value, None, fields)


def erasure(subject: str, *, because: ErasedBecause, key_id: str) -> Draft:
    """A subject's key is destroyed."""
    fields = {"subject": subject, "because": because.value, "key": key_id}
    return Draft.of(Kind.ERASURE.value, None, fields)


def read(
    question: str, key_id: str, *, about: str | None = None, filters: Mapping[str, Any] | None
) -> Draft:
    """Somebody read the log. `filters` are ids, times and names of rules, never contact values."""
    fields = {
        "question": question,
        "key": key_id,
        "decision_id": about,
        "filters": dict(filters or {}),
    }
    return Draft.of(Kind.READ.value, about, fields)


def row_base64(row: bytes) -> str:
    """The classifier's float32 row, little-endian."""
    return base64.b64encode(row).decode()
