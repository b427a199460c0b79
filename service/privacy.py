"""Privacy: what is processed, where it goes, how long it stays; read off what is live.

`GET /privacy` answers with it, so it cannot drift. The marked part of `docs/privacy.md` is what
`python -m service.privacy` prints.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from features.redaction_policy import Action, RedactionPolicy
from models.release import Release
from service.settings import Settings
from service.storage.old_answers import KEEP_ANSWERS

EMBEDDED = "embedded"
UNTIL_ERASED = "until erased: its key is destroyed on request (POST /erasures)"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things stay here. subjects: after the last decision about somebody; None: until
    they are erased."""

    subjects: timedelta | None
    answers: timedelta = KEEP_ANSWERS

    @classmethod
    def of(cls, settings: Settings) -> Keeping:
        days = settings.retention_days
        return cls(timedelta(days=days) if days is not None else None)

    @property
    def sealed(self) -> str:
        if self.subjects is None:
            return UNTIL_ERASED
        return f"{self.subjects.days} days after the last decision about them, or {UNTIL_ERASED}"


def privacy_notice(release: Release, policy: RedactionPolicy, keeping: Keeping) -> dict[str, Any]:
    """What `GET /privacy` answers, for the release that is live and the policy that is applied."""
    spec, llm = release.spec, release.llm
    readers = "the text model and the LLM" if release.text else "the LLM"
    sealed = f"sealed under the person's own key, {keeping.sealed}"
    return {
        "release": release.version,
        "purpose": f"deciding which leads to pursue, by the outcome {spec.outcome!r}",
        "automated_decision": {
            "by": "a classifier; where it cannot settle a lead, or a text may turn the decision, "
            f"{readers}, within a bound",
            "versions": dict(release.versions),
            "a_person_may_decide_otherwise": "POST /overrides",
        },
        "processed": [
            {
                "what": "structured columns",
                "columns": [column.name for column in spec.features],
                "used_for": "the classifier",
                "kept": f"the row that was read: {sealed}",
            },
            {
                "what": "free text",
                "columns": [column.name for column in spec.texts],
                "used_for": f"its length: the classifier; redacted: {readers}",
                "kept": f"as the LLM was shown it, redacted: {sealed}; the text itself: never",
            },
            {
                "what": "contact details",
                "columns": [column.name for column in spec.contacts],
                "used_for": "finding the person's own identity in their text; never a feature",
                "kept": "never; an HMAC, to find the person again, as long as their key",
            },
        ],
        "sent_to_an_llm": {
            "provider": llm.provider,
            "model": llm.model,
            "leaves_the_machine": llm.provider != EMBEDDED,
            "kinds_asked_about": sorted(kind.value for kind in release.policy.asks),
            "columns_shown_where_there_is_no_text": list(release.fields_shown),
            "written_down": "before it is sent, in the ledger",
        },
        "learned_from_past_leads": learned_notice(release),
        "redaction": redaction_notice(policy),
        "kept": {
            "ledger": "without end, append-only; no personal data in clear",
            "sealed_parts_and_fingerprints": keeping.sealed,
            "answers_to_idempotency_keys": f"{keeping.answers.total_seconds() / 3600:.0f} hours, "
            "sealed with the caller's own key",
        },
        "rights": {
            "access": "tiebreak audit about --contact column=value --open",
            "erasure": "POST /erasures",
            "objection_and_review": "POST /overrides",
        },
    }


def learned_notice(release: Release) -> dict[str, Any]:
    """What the release holds that came of redacted texts of past leads. No erasure reaches it."""
    text, adapter = release.text, release.llm.adapter
    return {
        "worked_examples_in_prompts": sum(len(p.examples) for p in release.llm.prompts.values()),
        "words_in_the_text_model": len(text.scales) if text else 0,
        "each_written_by_so_many_leads_at_least": text.fewest_writers if text else None,
        "texts_that_the_llm_was_tuned_on": adapter.examples if adapter else 0,
        "erased_by": "training again without that person",
    }


def redaction_notice(policy: RedactionPolicy) -> dict[str, Any]:
    """What goes out of a text before an LLM sees it, and what stays."""
    goes = {n: r.action.value for n, r in policy.entities.items() if r.action is not Action.KEEP}
    stays = [name for name, rule in policy.entities.items() if rule.action is Action.KEEP]
    return {
        "policy": policy.version,
        "goes": goes,
        "stays": stays,
        "any_other_type": "replace",
        "stays_though_called_like_somebody": list(policy.allow_list.phrases),
    }


def policy_page(policy: RedactionPolicy) -> str:
    """The redaction policy as a page shows it, in Markdown."""
    notice = redaction_notice(policy)
    rows = [f"| `{name}` | {action} |" for name, action in notice["goes"].items()]
    rows += [f"| `{name}` | keep |" for name in notice["stays"]]
    lines = [
        f"Redaction policy `{policy.version}`; a type that it does not name is replaced.",
        "",
        "| what is found | what happens |",
        "|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(policy_page(RedactionPolicy.shipped()))
