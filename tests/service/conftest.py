"""Makes `service_fakes` importable, also for the processes that tests start."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

with warnings.catch_warnings():
    # BentoML's own use of what its dependencies have deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import service_fakes  # noqa: F401
