"""Errors of the ledger.

ScoringError
└── LedgerError
    ├── ForeignLog              the log was signed with another key than ours
    ├── LedgerDamaged           rows of the log itself are missing
    ├── InvalidSigningKey       a private key that cannot be read, or a file that holds none
    ├── WitnessError            no cosignature was got, so the checkpoint is not witnessed
    │   ├── WitnessUnreachable      no answer, or none that says anything: try again
    │   ├── WitnessBehind           it last saw another size: prove from that one
    │   ├── WitnessRefused          it saw a tree that this one contradicts: an alarm
    │   └── WitnessMisconfigured    it does not know the log, or is not the witness we trust
    └── WitnessStateDamaged     the witness's own file: it must not start afresh
"""

from __future__ import annotations

from features.errors import ScoringError


class LedgerError(ScoringError):
    """Root of the ledger's errors."""


class ForeignLog(LedgerError):
    """The log in this database was signed with another key. Nothing is appended."""


class LedgerDamaged(LedgerError):
    """Rows of the log itself are missing: verify it, and look for who took them."""


class InvalidSigningKey(LedgerError):
    """A private key cannot be read or kept. The message never repeats it."""


class WitnessError(LedgerError):
    """The witness did not cosign."""


class WitnessUnreachable(WitnessError):
    """No answer in time, or none that says anything. Mends itself."""


class WitnessBehind(WitnessError):
    """The witness last cosigned another size than the one that the proof starts from.

    size: that one. Where the log has at least that many entries, prove from there and submit again:
    an answer was lost, or another worker was first. Where it has fewer, entries are gone.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"The witness last cosigned {size} entries. Prove from there.")
        self.size = size


class WitnessRefused(WitnessError):
    """What the log says now contradicts what it said before: it was changed. An alarm."""


class WitnessMisconfigured(WitnessError):
    """The witness does not know this log or its key, or another witness answers."""


class WitnessStateDamaged(LedgerError):
    """The witness's file is missing or damaged. It cosigns nothing until that is mended."""
