"""Erasing: a subject's key is destroyed, and the ledger says so.

The entry comes first: should the process die between the two, the log shows an erasure whose key
is still there, which `tiebreak audit reconcile` finds, and erasing again ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, true

from service.errors import NoSuchEntry
from service.recording import entry
from service.recording.entry import ErasedBecause, Purpose
from service.recording.record import first_id_at
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.tables import decisions, erasures, redactions
from service.storage.writing import Writing

AT_ONCE = 500  # subjects in one transaction


@dataclass(frozen=True, slots=True)
class Erasing:
    """Forgets subjects. Blocks: call it from a thread."""

    store: Store
    keys: StoredKeys

    def about(self, contacts: Mapping[str, str]) -> list[str]:
        """The subjects with these contact values; none where nobody is known by them."""
        return self.keys.subjects(contacts)

    def of_decision(self, decision_id: str) -> list[str]:
        """Whom a decision is about. Raises NoSuchEntry."""
        query = select(decisions.c.subject).where(decisions.c.id == decision_id)
        with self.store.reading() as connection:
            subject = connection.scalar(query)
        if subject is None:
            raise NoSuchEntry("There is no such decision. Send the decision_id of an answer.")
        return [subject]

    def erase(self, subjects: Sequence[str], *, because: ErasedBecause, key_id: str) -> None:
        """Returns once nobody can read any more what was sealed for them.

        Raises:
            StorageUnavailable: do it again.
        """
        for start in range(0, len(subjects), AT_ONCE):
            self._erase(subjects[start : start + AT_ONCE], because=because, key_id=key_id)

    def expire(self, kept: timedelta) -> int:
        """Erase whom nothing was decided about for this long. Returns how many.

        Raises:
            StorageUnavailable: what is left is erased the next time.
        """
        before = datetime.now(UTC) - kept
        erased = 0
        for old in self.keys.older_than(before, at_once=AT_ONCE):
            with self.store.reading() as connection:
                recent = _seen_since(connection, old, before)
            if gone := [subject for subject in old if subject not in recent]:
                why, who = ErasedBecause.RETENTION, entry.SERVICE
                erased += self._erase(gone, because=why, key_id=who, unless_since=before)
        return erased

    def _erase(
        self,
        subjects: Sequence[str],
        *,
        because: ErasedBecause,
        key_id: str,
        unless_since: datetime | None = None,
    ) -> int:
        """Returns how many. unless_since: but for those who have come back since this moment."""
        with self.store.writing() as writing:
            writing.take_turn()  # or somebody is decided on, or erased, meanwhile
            if unless_since is not None:
                recent = _seen_since(writing.connection, subjects, unless_since)
                subjects = [subject for subject in subjects if subject not in recent]
            _write(writing, subjects, because=because, key_id=key_id)
        self.keys.destroy(subjects)
        return len(subjects)


def _write(
    writing: Writing, subjects: Sequence[str], *, because: ErasedBecause, key_id: str
) -> None:
    """One entry each, but for those that have one: another worker may have been first."""
    query = select(erasures.c.subject).where(erasures.c.subject.in_(subjects))
    known = set(writing.connection.scalars(query))
    writing.append(
        [
            entry.erasure(subject, because=because, key_id=key_id)
            for subject in subjects
            if subject not in known
        ]
    )


def _seen_since(connection: Connection, subjects: Sequence[str], moment: datetime) -> set[str]:
    """Those that were decided on since; who was only trained on is not kept for that.

    Decisions' ids say when they were made. Entries are dated no earlier than the one before: once a
    clock was ahead for a moment, that is what all later ones say, and nobody would ever be due.
    """
    deciding = redactions.c.purpose == Purpose.DECISION.value
    seen: set[str] = set()
    for named, subject, which in (
        (decisions.c.id, decisions.c.subject, true()),
        (redactions.c.about, redactions.c.subject, deciding),
    ):
        query = select(subject).where(subject.in_(subjects), which).group_by(subject)
        seen.update(connection.scalars(query.having(func.max(named) >= first_id_at(moment))))
    return seen
