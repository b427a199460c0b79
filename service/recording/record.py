"""Record: one decision, as it is sent, and as the ledger keeps it.

The answer holds no personal data by construction: reasons show only values known from training,
the LLM's evidence comes from redacted text, redaction leaves counts. The ledger's entry holds less
in clear, for it cannot be taken back: what was read of the lead (its row, the reasons, what the
LLM quoted) is sealed under the key of whom the lead is about.
"""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from models.decision import Decision, RouteReason
from models.release import Release
from service.ledger.draft import Draft
from service.recording import entry
from service.recording.entry import Kind, Purpose
from service.schemas import answer_tree, usage_tree
from service.storage.database import iso
from service.storage.subject import Subject
from service.storage.unit import Late, Unsealed


def new_decision_id() -> str:
    """A UUID, version 7 (RFC 9562, section 5.7): ids sort by the millisecond they were made in."""
    random = secrets.randbits(74)
    high = (time.time_ns() // 1_000_000) << 16 | 0x7 << 12 | random >> 62
    low = 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))


def first_id_at(moment: datetime) -> str:
    """What the ids of decisions made from then on do not sort before, and all earlier ones do."""
    made = f"{int(moment.timestamp() * 1_000):012x}"
    return f"{made[:8]}-{made[8:]}"


def compact(tree: Any) -> bytes:
    """JSON without white space, in UTF-8; keys in the order of the schema, which is fixed."""
    return orjson.dumps(tree)


@dataclass(frozen=True)
class Record:
    """One decision with everything that the answer and the ledger say about it.

    id: the decision's. subject: whom it is about. at: when it was decided.
    latency_ms: from the parsed request until then. is_priced: what the LLM's tokens cost is
    configured.
    """

    id: str
    subject: Subject
    decision: Decision
    release: Release
    is_priced: bool
    latency_ms: float
    at: datetime

    @classmethod
    def of(
        cls,
        decision: Decision,
        release: Release,
        *,
        decision_id: str,
        subject: Subject,
        is_priced: bool,
        latency_ms: float,
    ) -> Record:
        latency_ms = round(latency_ms, 3)
        return cls(
            decision_id, subject, decision, release, is_priced, latency_ms, datetime.now(UTC)
        )

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The answer as a tree; `answer_bytes` is what is sent."""
        head = {"decision_id": self.id, "decided_at": iso(self.at)}
        tail = {"latency_ms": self.latency_ms}
        return head | answer_tree(self.decision, self.release, self.usage) | tail

    @cached_property
    def usage(self) -> dict[str, Any]:
        """Tokens and cost, as in the answer."""
        return usage_tree(self.decision, is_priced=self.is_priced)

    @cached_property
    def answer_bytes(self) -> bytes:
        return compact(self.answer)

    def entries(self, key_id: str) -> Late:
        """What the ledger keeps of it, besides what it already has of a text that left.

        key_id: of the caller's API key.
        """
        decision, llm = self.decision, self.release.llm
        drafts: list[Draft | Unsealed] = [
            entry.llm_call(call, llm, self.id, Purpose.DECISION) for call in decision.llm_calls
        ]
        if decision.reason is RouteReason.REDACTION_FAILED:
            drafts.append(entry.failed_redaction(self.id, Purpose.DECISION))
        return self.subject.late([*drafts, self._unsealed(key_id)])

    def _unsealed(self, key_id: str) -> Unsealed:
        decision, answer = self.decision, self.answer
        same = ("route", "reason", "probability", "classifier_probability", "text_log_odds")
        also = ("versions", "redacted", "usage", "data", "latency_ms")
        fields = {
            "decision_id": self.id,
            "decided_at": answer["decided_at"],
            "key": key_id,
            "release": self.release.version,
            "policy": decision.redaction.policy if decision.redaction else None,
            "has_text": decision.has_text,
            "llm": self._llm(),
            **{name: answer[name] for name in (*same, *also)},
        }
        return Unsealed.of(Kind.DECISION.value, self.id, fields, self._within())

    def _llm(self) -> dict[str, Any] | None:
        """What the LLM said, without its quote."""
        asked = self.answer["llm"]
        if asked is None:
            return None
        kept = {name: value for name, value in asked.items() if name not in ("asked", "evidence")}
        return kept | {"calls": len(self.decision.llm_calls)}

    def _within(self) -> dict[str, Any]:
        """What of it is sealed."""
        asked = self.answer["llm"]
        return {
            "row": entry.row_base64(self.decision.row),
            "reasons": self.answer["reasons"],
            "evidence": asked["evidence"] if asked else None,
        }
