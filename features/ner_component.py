"""NerComponent: the trained name recogniser that ships in `ner/`, as numbers and words on disk.

`weights.npy` holds all weights of its network, one after the other, in half precision;
`given_names.txt` and `family_names.txt` the names that it knows, `products.txt` words of tools and
brands; `meta.json` says where they come from. The redaction policy names the digest of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import RedactionFailed
from features.name_network import NameNetwork, in_a_row, parts, size
from features.name_tags import LABELS
from features.name_tokens import Lexicon

SHIPPED = Path(__file__).with_name("ner")
META, WEIGHTS = "meta.json", "weights.npy"
# In lower case, one a line: fields of a Lexicon, and the file of each.
LISTS = {
    "given": "given_names.txt",
    "family": "family_names.txt",
    "products": "products.txt",
}
FILES = (WEIGHTS, *LISTS.values())
KINDS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
NOT_LEMMATIZER = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "ner")


@dataclass(frozen=True, slots=True)
class NerComponent:
    """A network, and the words that it was taught with."""

    network: NameNetwork
    lexicon: Lexicon

    @property
    def ordinary_words(self) -> frozenset[str]:
        """English words in lower case that are hardly ever a name."""
        names = self.lexicon.given | self.lexicon.family
        return frozenset(self.lexicon.kinds).difference(names)


def english_kinds(model: str) -> dict[str, str]:
    """What each English word in lower case is: WordNet's, as a spaCy model brings them."""
    import spacy

    pipe = spacy.load(model, exclude=NOT_LEMMATIZER)
    index = pipe.get_pipe("lemmatizer").lookups.get_table("lemma_index")
    kinds: dict[str, str] = {}
    for name, letter in KINDS.items():
        for word in index[name]:
            kinds[word] = kinds.get(word, "") + letter
    return kinds


def load_component(model: str, digest: str, folder: Path = SHIPPED) -> NerComponent:
    """The recogniser in a folder, with the English words of spaCy's `model`.

    Raises:
        RedactionFailed: its files are not those with this digest.
    """
    import numpy as np

    try:
        found = _digest(folder)
    except OSError as error:
        raise RedactionFailed(
            f"The name recogniser's files ({', '.join(FILES)}) cannot be read. Install Tiebreak "
            "again."
        ) from error
    if found != digest:
        raise RedactionFailed(
            "The name recogniser's files are not those that the redaction policy names "
            "(ner_weights). Restore the shipped ones, or put their digest into the policy."
        )
    flat = np.load(folder / WEIGHTS, allow_pickle=False).astype(np.float32)
    if flat.size != size():
        raise RedactionFailed("The name recogniser's weights fit another version of Tiebreak.")
    lists = {field: frozenset(_read(folder / file)) for field, file in LISTS.items()}
    return NerComponent(NameNetwork(dict(parts(flat))), Lexicon(english_kinds(model), **lists))


def save_component(
    arrays: dict[str, Any], lexicon: Lexicon, folder: Path, meta: dict[str, Any]
) -> str:
    """Write a recogniser, and what is known of it; its digest.

    arrays: by name, as `name_network.shapes` names them.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / WEIGHTS, in_a_row(arrays).astype(np.float16), allow_pickle=False)
    for field, file in LISTS.items():
        _write(folder / file, sorted(getattr(lexicon, field)))
    digest = _digest(folder)
    about = {**meta, "labels": LABELS, "sha256": digest}
    (folder / META).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return digest


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


def _write(path: Path, words: Sequence[str]) -> None:
    path.write_text("\n".join(words) + "\n", encoding="utf-8", newline="\n")


def _digest(folder: Path) -> str:
    """SHA-256 of the weights and the lists, one after the other, hex."""
    return hashlib.sha256(b"".join((folder / file).read_bytes() for file in FILES)).hexdigest()
