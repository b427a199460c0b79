from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import importlib.util, sys
from features.redaction import Redactor
assert "Jane" not in Redactor.load().redact("Regards, Jane Miller").text
assert not {"torch", "transformers"} & {name.partition(".")[0] for name in sys.modules}
if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):
    from transformers.utils import is_torch_available
    assert is_torch_available()
print("fine")
"""


def test_redacting_loads_no_pytorch_and_whoever_wants_it_later_has_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=False)
    assert done.stdout == b"fine\n", done.stderr.decode()
