"""import_presidio_alone: Presidio and spaCy without PyTorch, which they load where they find it.

Nothing that reads a lead needs it: it is 300 MB, and seconds at the start of a service beside which
an LLM is tuned. Whoever wants it later imports it as ever.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

UNNEEDED = ("torch", "transformers")
_one_at_a_time = threading.Lock()


def import_presidio_alone() -> None:
    """To be called before anything else imports Presidio or spaCy; later it changes nothing."""
    with _one_at_a_time:
        if "spacy" in sys.modules:
            return
        modules: dict[str, Any] = sys.modules
        hidden = [name for name in UNNEEDED if name not in modules]
        modules.update(dict.fromkeys(hidden))  # None: cannot be imported, and both do without
        try:
            import presidio_analyzer  # noqa: F401  # imports spaCy, and looks for a GPU
        finally:
            for name in hidden:
                modules.pop(name, None)
