"""Auditor: asks the ledger, and is on the record: each question is an entry before its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, select

from service.audit.checking import Asked, check, check_quickly
from service.audit.counting import Counting, count
from service.audit.exporting import Exported, Format, export
from service.audit.filters import Filters, decision_id
from service.audit.finding import Page, about, by_place, page, walk
from service.audit.known_names import require_known
from service.audit.person import person, subjects_of_decision
from service.audit.provider_log import compare
from service.audit.reconciling import Reconciled, reconcile
from service.audit.replaying import Releases, Replay, Source, replay
from service.audit.sent import sent
from service.auth import MAY_AUDIT
from service.errors import NoSuchEntry, NotAllowed
from service.keys import ApiKey
from service.ledger.proofs import head, witnessed
from service.ledger.verify import Report, VerifierKey
from service.recording import entry
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.tables import decisions

T = TypeVar("T")
COSIGNED_WITHIN = timedelta(seconds=4)  # a witness that is there is asked once a second
PAUSE_S = 0.2


Step = Callable[[int], None]  # told how many more are done


def _nothing(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and may."""

    key_id: str

    @classmethod
    def with_key(cls, key: ApiKey) -> Self:
        """Raises NotAllowed."""
        if key.role not in MAY_AUDIT:
            wanted = " or ".join(sorted(role.value for role in MAY_AUDIT))
            problem = f"This key has the role {key.role.value}."
            raise NotAllowed(problem, f"Use a key with the role {wanted}.")
        return cls(key.id)

    @classmethod
    def at_the_machine(cls) -> Self:
        """Whoever has the database's files, or its address, needs no key."""
        return cls(entry.COMMAND_LINE)


@dataclass(frozen=True, slots=True)
class Auditor:
    """Blocks: call it from a thread. Each question raises StorageUnavailable where it cannot be
    written down: then it is not answered.
    """

    store: Store
    keys: StoredKeys
    reader: Reader

    def entries(
        self, filters: Filters, *, after: int | None, most: int, newest_first: bool
    ) -> Page:
        """Some of the entries that match. Raises MalformedRequest: a filter names nothing."""
        self._require_known(filters)
        more = {"after": after} if after is not None else {}
        return self.answer(
            "entries",
            lambda connection: page(
                connection, filters, after=after, most=most, newest_first=newest_first
            ),
            filters=filters.tree() | more,
        )

    def counts(self, asked: Counting) -> list[dict[str, Any]]:
        """How much of what."""
        filters = {name: value for name, value in asked.tree().items() if value}
        return self.answer("counts", lambda connection: count(connection, asked), filters=filters)

    def decision(self, named: str) -> list[dict[str, Any]]:
        """All entries about one decision. Raises NoSuchEntry, MalformedRequest."""
        named = str(decision_id("decision_id", named))
        found = self.answer("decision", lambda connection: about(connection, named), about=named)
        trees = [{"seq": one.seq, **one.tree} for one in found]
        if all(tree["kind"] == entry.Kind.READ for tree in trees):
            raise NoSuchEntry("Nothing in the ledger is about this id. Name that of an answer.")
        return trees

    def sent(self, named: str) -> dict[str, Any]:
        """What an LLM was shown for a decision, opened.

        Raises:
            NoSuchEntry, KeyDestroyed, SealBroken, MalformedRequest
        """
        named = str(decision_id("decision_id", named))
        return self.answer(
            "sent", lambda connection: sent(connection, self.keys, named), about=named
        )

    def about_decision(self, named: str, *, opens: bool = False) -> dict[str, Any]:
        """All about whom a decision is about. Raises NoSuchEntry, MalformedRequest."""
        named = str(decision_id("decision_id", named))

        def work(connection: Connection) -> dict[str, Any]:
            subjects = subjects_of_decision(connection, named)
            return person(connection, self.keys, subjects, opens=opens)

        return self.answer("about", work, about=named, filters={"opens": opens})

    def about_contacts(self, contacts: Mapping[str, str], *, opens: bool = False) -> dict[str, Any]:
        """All about whom these contact values are of. What is written down are their subjects.

        Nobody known by them: no subject.
        """
        subjects = self.keys.subjects(contacts)
        return self.answer(
            "about",
            lambda connection: person(connection, self.keys, subjects, opens=opens),
            filters={"subjects": subjects, "opens": opens},
        )

    def size(self) -> int:
        """How many entries there are: as public as the checkpoint. Raises StorageUnavailable."""
        with self.store.reading() as connection:
            return head(connection).size

    def _require_known(self, filters: Filters) -> None:
        """Before anything is written: what a filter says stays in the ledger for good."""
        with self.store.reading() as connection:
            require_known(connection, filters)

    def answer(
        self,
        question: str,
        work: Callable[[Connection], T],
        *,
        about: str | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> T:
        """What `work` answers, once the question is durable."""
        self.ask(question, about=about, filters=filters)
        with self.store.reading() as connection:
            return work(connection)

    def ask(
        self, question: str, *, about: str | None = None, filters: Mapping[str, Any] | None = None
    ) -> int:
        """Write the question down. Returns the place of its entry."""
        draft = entry.read(question, self.reader.key_id, about=about, filters=filters)
        with self.store.writing() as writing:
            (written,) = writing.append([draft])
        return written.seq

    def reconcile(
        self, provider_log: Path | None, asked: Filters, step: Step = _nothing
    ) -> Reconciled:
        """Whether everything pairs. Raises MalformedRequest: the provider's log cannot be read."""
        report = Reconciled()

        def work(connection: Connection) -> Reconciled:
            for done in reconcile(connection, self.keys, report):
                step(done)
            if provider_log is not None:
                compare(connection, provider_log, report, asked)
            return report

        more = {"provider_log": True} if provider_log is not None else {}
        return self.answer("reconcile", work, filters=asked.tree() | more)

    def export(
        self, folder: Path, filters: Filters, form: Format, step: Step = _nothing
    ) -> Exported:
        """Entries with proofs in a folder. Raises MalformedRequest, NoSuchEntry."""
        self._require_known(filters)
        own = self.ask("export", filters=filters.tree() | {"format": form.value})
        self._await_cosignature(own)
        with self.store.reading() as connection:
            for done in export(connection, folder, filters, own_entry=own, form=form):
                if isinstance(done, Exported):
                    return done
                step(1)
        raise AssertionError("An export ends with what was exported.")

    def _await_cosignature(self, seq: int) -> None:
        """Until a witness that cosigned before has seen this entry too, or it takes too long."""
        until = time.monotonic() + COSIGNED_WITHIN.total_seconds()
        while time.monotonic() < until:
            with self.store.reading() as connection:
                seen = witnessed(connection)
            if seen is None or seen.size > seq:
                return
            time.sleep(PAUSE_S)

    def verify(
        self,
        key: VerifierKey,
        witness: Asked | None,
        *,
        quickly: bool = False,
        step: Step = _nothing,
    ) -> Report:
        """The live ledger against its head, its checkpoints, and the witness's."""
        report = Report()

        def work(connection: Connection) -> Report:
            if quickly:
                check_quickly(connection, key, witness, report)
                return report
            for done in check(connection, key, witness, report):
                step(done)
            return report

        return self.answer("verify", work, filters={"quickly": quickly})

    def replay(
        self,
        source: Source,
        *,
        decision_ids: Sequence[str] = (),
        sample: int | None = None,
        step: Step = _nothing,
    ) -> list[Replay]:
        """Decisions derived again: those named; else `sample` of them, drawn by chance; else all.

        Raises:
            NoSuchEntry, MalformedRequest
        """
        named = [str(decision_id("decision_id", one)) for one in decision_ids]
        filters = {"decision_ids": named} if named else {"sample": sample}

        def work(connection: Connection) -> list[Replay]:
            done: list[Replay] = []
            with Releases(source) as releases:
                for one in replay(_decisions(connection, named, sample), self.keys, releases):
                    done.append(one)
                    step(1)
            return done

        return self.answer("replay", work, filters=filters)


def _decisions(
    connection: Connection, named: Sequence[str], sample: int | None
) -> Iterator[dict[str, Any]]:
    if named:
        query = select(decisions.c.seq).where(decisions.c.id.in_(named))
        places = sorted(connection.scalars(query))
        if len(places) < len(set(named)):
            raise NoSuchEntry("There is no such decision. Name the decision_id of an answer.")
    elif sample is not None:
        all_of_them = list(connection.scalars(select(decisions.c.seq)))
        places = sorted(SystemRandom().sample(all_of_them, min(sample, len(all_of_them))))
    else:
        size = head(connection).size
        yield from (found.tree for found in walk(connection, Filters(kind="decision"), size=size))
        return
    yield from (found.tree for found in by_place(connection, places))


def page_tree(found: Page) -> dict[str, Any]:
    """A page as JSON."""
    trees = [{"seq": one.seq, "entry": one.tree} for one in found.entries]
    return {"entries": trees, "after": found.after}
