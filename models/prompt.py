"""Prompt: how a lead is shown to an LLM, with worked examples from past leads.

Whatever a lead writes stays on one line and holds no bracket of any kind, while what frames it (the
question, <lead>, a model's own control tokens) does. So no text can close its frame, start a turn
of its own, or pass for a worked example.
"""

from __future__ import annotations

import hashlib
import json
import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from features.redaction import RedactedText

LEAD_LIMIT = 1_500  # characters of a lead's text that are shown: its head and its tail
BARE_LIMIT = 600  # the same where a model was tuned: some 130 tokens, which is what a call costs
EXAMPLE_LIMIT = 400  # the same for a worked example; there are several, and each call pays for all
EXAMPLES = 6
ANSWERS = {True: "yes", False: "no"}
TRUTH_WORDS = frozenset({"1", "1.0", "true", "yes", "y", "won"})  # outcomes that need no "= value"
NEWEST, NEWEST_BARE = "v1", "bare_v1"
ROUND_BRACKETS = str.maketrans("[]{}<>", "()()()")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co"})  # control, format (zero-width), surrogate, private


class EvidenceKind(StrEnum):
    """What of a lead the LLM is shown: one of the two, never both.

    A lead with text is judged by its text alone. The classifier has already judged the fields, and
    a tuned LLM that was shown them behind the text did no better on any table, and worse on one.
    """

    TEXT = "text"  # what the lead wrote
    FIELDS = "fields"  # its structured fields, where it wrote nothing


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """A past lead and its outcome, as the LLM is shown it. Make it with `of`."""

    text: str
    won: bool

    @classmethod
    def of(cls, text: RedactedText, *, won: bool) -> Self:
        """The only way from a lead to a worked example: after redaction.

        Raises:
            TypeError: `text` is not a RedactedText.
        """
        return cls(require_redacted(text).text, won)


@dataclass(frozen=True)
class Prompt:
    """The question about one kind of evidence.

    kind: what the LLM is shown.
    template: instruction, a line of dashes, and the block that shows one lead.
    question: the outcome in the table's own words, e.g. "Converted".
    lead_limit: characters of a lead that are shown.
    """

    kind: EvidenceKind
    template: str
    question: str
    examples: tuple[WorkedExample, ...] = ()
    lead_limit: int = LEAD_LIMIT

    @classmethod
    def newest(
        cls,
        kind: EvidenceKind,
        *,
        outcome: str,
        won: str,
        examples: tuple[WorkedExample, ...] = (),
    ) -> Self:
        """The newest template, asking whether the column `outcome` will hold the value `won`."""
        return cls(kind, _template(f"{kind}_{NEWEST}"), _question(outcome, won), examples)

    @classmethod
    def bare(cls, kind: EvidenceKind, *, outcome: str, won: str) -> Self:
        """For a tuned model: the lead and the question, neither instructions nor examples.

        Tuning and serving both show leads through it: what differed by a space would be answered
        otherwise.
        """
        template, question = _template(NEWEST_BARE), _question(outcome, won)
        return cls(kind, template, question, lead_limit=BARE_LIMIT)

    def render_completion(self, evidence: RedactedText) -> str:
        """For base models: worked examples, then the lead; the next token is " yes" or " no".

        Raises:
            TypeError: `evidence` is not a RedactedText.
        """
        return self._completion(self.shown(evidence))

    def render_chat(self, evidence: RedactedText) -> list[dict[str, str]]:
        """For chat models: instruction and worked examples as system message, then the lead.

        Raises:
            TypeError: `evidence` is not a RedactedText.
        """
        return self._chat(self.shown(evidence))

    def shown(self, evidence: RedactedText) -> str:
        """What of the evidence a model is shown; with `version` it says exactly what is sent.

        Raises:
            TypeError: `evidence` is not a RedactedText.
        """
        return self._shown(require_redacted(evidence).text, self.lead_limit)

    @cached_property
    def template_text(self) -> str:
        """What base models are sent, worked examples included, with {{lead}} for the lead."""
        return self._completion("{{lead}}")

    @cached_property
    def template_chat(self) -> list[dict[str, str]]:
        """What chat models are sent, worked examples included, with {{lead}} for the lead."""
        return self._chat("{{lead}}")

    @cached_property
    def version(self) -> str:
        """Digest of everything that changes what is sent, 12 hex digits."""
        content = json.dumps([self.template_text, self.template_chat], ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        examples = [{"text": e.text, "won": e.won} for e in self.examples]
        tree = {
            "kind": self.kind.value,
            "template": self.template,
            "question": self.question,
            "examples": examples,
        }
        # Left out where it is as it always was: the versions of older releases stay what they are.
        return tree if self.lead_limit == LEAD_LIMIT else tree | {"lead_limit": self.lead_limit}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The prompt that `to_json` wrote. Raises KeyError or ValueError where it is damaged."""
        examples = tuple(WorkedExample(str(e["text"]), bool(e["won"])) for e in tree["examples"])
        kind, limit = EvidenceKind(tree["kind"]), int(tree.get("lead_limit", LEAD_LIMIT))
        return cls(kind, tree["template"], tree["question"], examples, limit)

    def _completion(self, lead: str) -> str:
        return "\n\n".join([*self._blocks(), self._block(lead, "")]).rstrip()

    def _chat(self, lead: str) -> list[dict[str, str]]:
        past = [self._block(_fenced(self._example(e)), ANSWERS[e.won]) for e in self.examples]
        system = "\n\n".join([self._fill(self._instruction), *past])
        user = {"role": "user", "content": self._block(_fenced(lead), "").rstrip()}
        return [{"role": "system", "content": system}, user] if system else [user]

    def _blocks(self) -> list[str]:
        return [self._block(self._example(e), ANSWERS[e.won]) for e in self.examples]

    def _block(self, lead: str, answer: str) -> str:
        _, block = self._sections
        # The lead comes last: what it holds is never read as a placeholder.
        return self._fill(block).replace("{{answer}}", answer).replace("{{lead}}", lead)

    def _fill(self, text: str) -> str:
        return text.replace("{{question}}", self.question)

    def _example(self, example: WorkedExample) -> str:
        return self._shown(example.text, EXAMPLE_LIMIT)

    def _shown(self, text: str, limit: int) -> str:
        between = "; " if self.kind is EvidenceKind.FIELDS else " "
        return _cut(_line(text, between), limit)

    @property
    def _instruction(self) -> str:
        return self._sections[0]

    @cached_property
    def _sections(self) -> tuple[str, str]:
        instruction, _, block = self.template.partition("\n---\n")
        return instruction.strip(), block.strip()


def _template(name: str) -> str:
    return (Path(__file__).with_name("prompts") / f"{name}.txt").read_text(encoding="utf-8")


def _question(outcome: str, won: str) -> str:
    is_plain = won.strip().casefold() in TRUTH_WORDS
    return _line(outcome if is_plain else f"{outcome} = {won}")


def require_redacted(text: object) -> RedactedText:
    """The text itself, if a Redactor made it.

    Raises:
        TypeError: it is anything else, a `str` above all.
    """
    if not isinstance(text, RedactedText):
        message = f"An LLM may only see RedactedText, not {type(text).__name__}: redact it first."
        raise TypeError(message)
    return text


def choose_examples(
    texts: Sequence[RedactedText], won: Sequence[bool], n: int = EXAMPLES, *, seed: int
) -> tuple[WorkedExample, ...]:
    """Up to `n` worked examples from past leads, as many won as lost, the same for the same seed.

    Of middling length for their kind, and in pairs that take turns in who comes first: a small
    base model otherwise favours the answer it saw more often or last.
    """
    seen = {text.text: (text, bool(is_won)) for text, is_won in zip(texts, won, strict=True)}
    rng = random.Random(seed)  # noqa: S311  (a choice, not a secret)
    lost, gained = ([t for t, w in seen.values() if w is wanted] for wanted in (False, True))
    pairs = min(n // 2, len(lost), len(gained))
    chosen = zip(_typical(lost, pairs, rng), _typical(gained, pairs, rng), strict=True)
    examples: list[WorkedExample] = []
    for place, (no, yes) in enumerate(chosen):
        pair = [WorkedExample.of(no, won=False), WorkedExample.of(yes, won=True)]
        examples += pair if place % 2 else pair[::-1]
    return tuple(examples)


def _typical(texts: list[RedactedText], n: int, rng: random.Random) -> list[RedactedText]:
    """`n` of the texts from the middle half by length, or nearest to it."""
    by_length = sorted(texts, key=lambda text: (len(text.text), text.text))
    least = max(n, len(texts) // 2)
    start = (len(texts) - least) // 2
    return rng.sample(by_length[start : start + least], n)


def _line(text: str, between: str = " ") -> str:
    """The text on one line, without invisible characters, its brackets made round."""
    lines = (_visible(" ".join(line.split())) for line in text.splitlines())
    return between.join(line for line in lines if line).translate(ROUND_BRACKETS)


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if unicodedata.category(c) not in INVISIBLE)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 5]} ... {text[-tail:]}"


def _fenced(lead: str) -> str:
    return f"<lead>{lead}</lead>"
