"""StoredKeys: one random key per subject, made when first needed, destroyed when forgotten.

They have a database of their own. The ledger can be copied and kept at will: without the keys, what
is sealed in it says nothing, and what was erased stays erased in every copy.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select, text

from features.fingerprint import KEY_BYTES, SubjectKey
from features.subject import subject_of, subjects_of
from service.errors import InvalidSettings
from service.every import Every
from service.settings import Settings
from service.storage.database import Database, iso
from service.storage.direct_sql import BulkInsert, DirectStatement, SelectAmong
from service.storage.group_commit import GroupCommit
from service.storage.migrations import upgrade_keys
from service.storage.secret_file import read_or_make
from service.storage.tables import subject_keys
from service.storage.tables import subject_secret as secret_table

log = logging.getLogger("tiebreak.keys")

SUBJECT_BYTES = 16
SECRET_FILE = "subjects.key"  # noqa: S105 the name of a file
OVERWRITE_PAUSE = timedelta(seconds=30)  # between tries to overwrite what readers hold on to
SAME_SECRET = b"\0the secret of these subjects"  # no contact value begins so
LOCK = 7_236_104_512  # of PostgreSQL: any number that nobody else uses

ADD_KEYS = BulkInsert(subject_keys, ("subject", "tag", "key", "created_at"))
TAKE_TURN = DirectStatement(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
# The oldest comes last, and stays: databases from before writers took turns may hold several.
KEYS_OF = SelectAmong(
    "SELECT tag, subject, key FROM subject_keys WHERE tag IN ({}) ORDER BY created_at DESC, subject"
)


class StoredKeys:
    """The keys of subjects. Fit for several workers at once.

    A subject's id is random; whose it is, only the tag beside the key says: an HMAC of their
    contact value under `secret`. Whoever makes keys does so alone, so that workers which meet
    somebody new at the same moment make one subject of them.
    """

    def __init__(self, url: str, secret: bytes) -> None:
        setting = "TIEBREAK_SUBJECT_KEYS_URL"
        self._database = Database(url, self._prepare, forgets=True, setting=setting)
        self._secret = secret
        self._commits: GroupCommit[str | None, SubjectKey] = GroupCommit("keys", self.make)
        self._owes = False  # bytes of destroyed keys are still to be overwritten
        self._overwriting: Every | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        self._commits.close()
        if self._overwriting is not None:
            self._overwriting.close()
        self._database.close()

    async def key(self, contacts: Mapping[str, str]) -> SubjectKey:
        """The key of whom these contact values are of, durable; a new one where there are none.

        Raises:
            StorageUnavailable: nothing could be sealed for them now.
        """
        return await self._commits.submit(self.tag(contacts))

    def tag(self, contacts: Mapping[str, str]) -> str | None:
        """Under what the key of these contact values is found; None where there are none."""
        subject = subject_of(contacts)
        return None if subject is None else self._tag(subject)

    def _tag(self, subject: str) -> str:
        return self._digest(subject.encode("utf-8", "surrogatepass"))

    def _digest(self, message: bytes) -> str:
        return hmac.digest(self._secret, message, hashlib.sha256).hex()

    def _prepare(self, connection: Connection) -> None:
        """Raises InvalidSettings: under this secret nobody who is known would be found."""
        upgrade_keys(connection)
        mine, kept = self._digest(SAME_SECRET), connection.scalar(select(secret_table.c.mark))
        if kept is None:
            connection.execute(insert(secret_table), [{"mark": mine}])
        elif not hmac.compare_digest(kept, mine):
            raise InvalidSettings(
                "TIEBREAK_SUBJECT_SECRET is not the secret that the keys of subjects were made "
                "under: nobody would be found by it, nor erased. Restore that one (subjects.key "
                "under TIEBREAK_HOME, where none is set), or name another TIEBREAK_SUBJECT_KEYS_URL"
            )

    # -- from any thread --------------------------------------------------------------------

    def require_secret(self) -> None:
        """Raises InvalidSettings where it is not that of this database; StorageUnavailable."""
        with self._database.reading():
            pass

    def subjects(self, contacts: Mapping[str, str]) -> list[str]:
        """The ids under which somebody is known, by any of these values. Raises StorageUnavailable.

        Who gives e-mail address and phone number may have been known by either.
        """
        tags = [self._tag(subject) for subject in subjects_of(contacts)]
        query = select(subject_keys.c.subject).where(subject_keys.c.tag.in_(tags))
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(subject_keys.c.created_at)))

    def find(self, subject: str) -> SubjectKey | None:
        """The key of a subject; None where it was destroyed. Raises StorageUnavailable."""
        query = select(subject_keys.c.key).where(subject_keys.c.subject == subject)
        with self._database.reading() as connection:
            kept = connection.execute(query).scalar_one_or_none()
        return SubjectKey(subject, bytes(kept)) if kept is not None else None

    def kept(self, subjects: Sequence[str]) -> set[str]:
        """Those of these subjects whose keys are still there. Raises StorageUnavailable."""
        query = select(subject_keys.c.subject).where(subject_keys.c.subject.in_(subjects))
        with self._database.reading() as connection:
            return set(connection.scalars(query))

    def older_than(self, moment: datetime, *, at_once: int) -> Iterator[list[str]]:
        """Subjects whose keys were made before then, oldest first, so many at a time.

        They may be destroyed meanwhile.

        Raises:
            StorageUnavailable
        """
        made, subject = subject_keys.c.created_at, subject_keys.c.subject
        query = select(made, subject).where(made < iso(moment)).order_by(made, subject)
        after = ("", "")
        while True:
            beyond = or_(made > after[0], and_(made == after[0], subject > after[1]))
            with self._database.reading() as connection:
                found = connection.execute(query.where(beyond).limit(at_once)).all()
            if not found:
                return
            yield [row.subject for row in found]
            after = (found[-1].created_at, found[-1].subject)

    def destroy(self, subjects: Sequence[str]) -> None:
        """Destroy keys, for good: their bytes are overwritten on disk. Raises StorageUnavailable.

        On SQLite at once; PostgreSQL overwrites what is deleted when it uses the page again.
        """
        with self._database.writing() as connection:
            gone = subject_keys.c.subject.in_(subjects)
            connection.execute(delete(subject_keys).where(gone))
        if not self._database.overwrite_deleted():
            log.warning("Destroyed keys stay in the write-ahead log until its readers are done.")
            with self._lock:
                if self._overwriting is None:  # from now on it is looked after until it is closed
                    self._overwriting = Every("overwriting", OVERWRITE_PAUSE, self._overwrite)
                    self._overwriting.start()
                self._owes = True

    def _overwrite(self) -> None:
        if self._owes and self._database.overwrite_deleted():
            self._owes = False
            log.info("Destroyed keys are out of the write-ahead log.")

    def make(self, tags: Sequence[str | None]) -> list[SubjectKey]:
        """A key for each tag, durable: the one that is there, or a new one.

        Raises:
            StorageUnavailable
        """
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":  # SQLite lets one write at a time anyway
                TAKE_TURN(connection, {})
            known = _known(connection, {tag for tag in tags if tag is not None})
            now = iso(datetime.now(UTC))
            keys: list[SubjectKey] = []
            rows: list[tuple[str, str | None, bytes, str]] = []
            for tag in tags:
                key = known.get(tag) if tag is not None else None
                if key is None:
                    secret = secrets.token_bytes(KEY_BYTES)
                    key = SubjectKey(secrets.token_hex(SUBJECT_BYTES), secret)
                    rows.append((key.subject, tag, secret, now))
                    if tag is not None:
                        known[tag] = key
                keys.append(key)
            ADD_KEYS(connection, rows)
        return keys


def _known(connection: Connection, tags: Collection[str]) -> dict[str, SubjectKey]:
    if not tags:
        return {}
    rows = KEYS_OF(connection, tuple(tags))
    return {tag: SubjectKey(subject, bytes(key)) for tag, subject, key in rows}


def subject_secret(settings: Settings) -> bytes:
    """The secret under which subjects are found: set, or made once and kept under `home`.

    Raises:
        InvalidSettings: the file cannot be made or read.
    """
    if settings.subject_secret is not None:
        return settings.subject_secret.get_secret_value().encode()
    path = settings.home / SECRET_FILE
    try:
        secret = read_or_make(path, lambda: secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        message = f"{path} cannot be used ({type(error).__name__}). Set TIEBREAK_SUBJECT_SECRET."
        raise InvalidSettings(message) from error
    if len(secret) < KEY_BYTES:
        raise InvalidSettings(f"{path} is damaged. Restore it, or set TIEBREAK_SUBJECT_SECRET.")
    return secret
