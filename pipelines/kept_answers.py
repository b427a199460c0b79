"""KeptAnswers: what a tuned LLM said about leads of a table, on disk, to go on from after a cut."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from models.prompt import EvidenceKind
from models.verdict import Verdict, VerdictSource

log = logging.getLogger("tiebreak.tuning")

Asked = tuple[int, EvidenceKind]  # number of a lead in its table, and what was shown of it


@dataclass
class KeptAnswers:
    """One line of JSON for each answer: numbers alone, nothing that a lead wrote.

    path: belongs to one version of an LLM and one table.
    """

    path: Path
    _known: dict[Asked, Verdict] = field(default_factory=dict)
    _can_write: bool = True

    def __post_init__(self) -> None:
        if self.path.exists():
            self._known.update(filter(None, map(_answer, _whole_lines(self.path))))

    def of(self, asked: Asked) -> Verdict | None:
        """The answer of an earlier process, or of this one; None where nobody asked."""
        return self._known.get(asked)

    def keep(self, asked: Asked, verdict: Verdict) -> None:
        """Written at once: a kill loses the line being written and no other.

        On a full disk they are known to this process alone from then on.
        """
        self._known[asked] = verdict
        if not self._can_write:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(_line(asked, verdict) + "\n")
        except OSError as error:
            self._can_write = False  # behind half a line another would be lost, too
            said = "Answers are no longer kept in %s (%s): after a cut they are asked for again."
            log.warning(said, self.path.parent, error.strerror)

    def remove(self) -> None:
        """They are not needed any more."""
        self.path.unlink(missing_ok=True)


def _whole_lines(path: Path) -> list[str]:
    text = path.read_text(errors="replace")
    whole, _, cut = text.rpartition("\n")
    if cut:  # or the next answer would be written behind the half of one
        path.write_text(f"{whole}\n" if whole else "")
    return whole.splitlines()


def _line(asked: Asked, verdict: Verdict) -> str:
    row, kind = asked
    said = [verdict.win_probability, verdict.source.value]
    cost = [verdict.prompt_tokens, verdict.completion_tokens, verdict.latency_s]
    return json.dumps([row, kind.value, *said, *cost])


def _answer(line: str) -> tuple[Asked, Verdict] | None:
    """None where the line is damaged: that lead is asked about again."""
    try:
        row, kind, p, source, prompt, completion, latency = json.loads(line)
        said = p, VerdictSource(source), None, prompt, completion, None, latency, None, ()
        return (row, EvidenceKind(kind)), Verdict(*said)
    except (ValueError, TypeError):
        return None
