"""Record: one decision, as it is sent, kept and audited. It holds no personal data.

A Decision holds none by construction: reasons show only values known from training, the LLM's
evidence comes from redacted text, redaction leaves counts. So the bytes that are sent are the
bytes that are kept.
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
from service.schemas import answer_tree, usage_tree
from service.store import Row, iso


def new_decision_id() -> str:
    """A UUID, version 7 (RFC 9562, section 5.7): ids sort by the millisecond they were made in."""
    random = secrets.randbits(74)
    high = (time.time_ns() // 1_000_000) << 16 | 0x7 << 12 | random >> 62
    low = 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=high << 64 | low))


def canonical(tree: Any) -> bytes:
    """JSON without white space, in UTF-8; keys in the order of the schema, which is fixed."""
    return orjson.dumps(tree)


@dataclass(frozen=True)
class Record:
    """One decision with everything that the answer and the database say about it.

    at: when it was decided. latency_ms: from the parsed request until then.
    is_priced: what the LLM's tokens cost is configured.
    """

    id: str
    at: datetime
    decision: Decision
    release: Release
    is_priced: bool
    latency_ms: float

    @classmethod
    def of(
        cls, decision: Decision, release: Release, *, is_priced: bool, latency_ms: float
    ) -> Record:
        return cls(
            new_decision_id(), datetime.now(UTC), decision, release, is_priced, round(latency_ms, 3)
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
        return canonical(self.answer)

    @property
    def redaction_row(self) -> Row | None:
        """The row of the table `redactions`; None where no text was to leave."""
        redaction = self.decision.redaction
        failed = self.decision.reason is RouteReason.REDACTION_FAILED
        if redaction is None and not failed:
            return None
        return {
            "decision_id": self.id,
            "at": iso(self.at),
            "failed": failed,
            "policy": redaction.policy if redaction else None,
            "subject": redaction.subject if redaction else None,
            "events": canonical(redaction.events if redaction else ()),
        }

    def row(self, key_id: str) -> Row:
        """The row of the table `decisions`."""
        decision = self.decision
        return {
            "id": self.id,
            "at": iso(self.at),
            "key_id": key_id,
            "release": self.release.version,
            "route": decision.route.value,
            "reason": decision.reason.value,
            "probability": decision.probability,
            "classifier_probability": decision.classifier_probability,
            "versions": canonical(self.answer["versions"]),
            "redacted": canonical(self.answer["redacted"]),
            **self.usage,
            "answer": self.answer_bytes,
        }
