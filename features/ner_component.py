"""NerComponent: the trained name recogniser that ships in `ner/`, as numbers and words on disk.

`weights.npy` holds all weights of its network, one after the other, in half precision;
`given_names.txt` and `family_names.txt` the names that it knows, `products.txt` words of tools and
brands. `census_names.txt`, `word_casing.txt`, `sound.npy` and `second_look.json` are what
`SecondLook` judges by; `places.txt` what is nobody's.
`meta.json` says where they come from. The redaction policy names the digest of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features import name_counts, places, word_casing
from features.boosted_trees import BoostedTrees
from features.errors import RedactionFailed
from features.name_counts import NameCounts
from features.name_network import NameNetwork, in_a_row, parts, size
from features.name_signs import SIGNS, NameSigns
from features.name_sound import NameSound
from features.name_tags import LABELS
from features.name_tokens import Lexicon
from features.ordinary_language import OrdinaryLanguage
from features.places import Places
from features.second_look import SecondLook
from features.word_casing import WordCasing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHIPPED = Path(__file__).with_name("ner")
META, WEIGHTS = "meta.json", "weights.npy"
SOUND, SECOND_LOOK = "sound.npy", "second_look.json"
# In lower case, one a line: fields of a Lexicon, and the file of each.
LISTS = {
    "given": "given_names.txt",
    "family": "family_names.txt",
    "products": "products.txt",
}
FILES = (
    WEIGHTS, *LISTS.values(), name_counts.FILE, word_casing.FILE, SOUND, SECOND_LOOK, places.FILE
)  # fmt: skip
KINDS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
NOT_LEMMATIZER = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "ner")


@dataclass(frozen=True, slots=True)
class NerComponent:
    """A network, and the words that it was taught with."""

    network: NameNetwork
    lexicon: Lexicon
    second_look: SecondLook
    places: Places
    ordinary: OrdinaryLanguage


def ordinary_language(
    lexicon: Lexicon, counts: NameCounts, common: Mapping[str, float]
) -> OrdinaryLanguage:
    """By what is known of words. common: as `WordCasing.common` has them.

    A common word may be none where it is written small if it is said in a billion words at least as
    often as people are given it as a name: `summer` and `hope`, but neither `joy` nor `max`.
    """
    words = frozenset(lexicon.kinds).difference(lexicon.given, lexicon.family)
    small = (word for word, said in common.items() if said >= counts.of(word)[0])
    return OrdinaryLanguage(words, lexicon.products, frozenset(small))


def english_kinds(model: str) -> dict[str, str]:
    """What each English word in lower case is: WordNet's, as a spaCy model brings them."""
    from features.presidio_alone import import_presidio_alone

    import_presidio_alone()
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
    network, lexicon = load_network(model, folder)
    counts, casing = NameCounts.read(folder), WordCasing.read(folder)
    common = casing.common()
    lexicon = replace(lexicon, common=frozenset(common))
    second_look = _second_look(lexicon, counts, casing, folder)
    ordinary = ordinary_language(lexicon, counts, common)
    return NerComponent(network, lexicon, second_look, Places.read(folder), ordinary)


def _second_look(
    lexicon: Lexicon, counts: NameCounts, casing: WordCasing, folder: Path
) -> SecondLook:
    import numpy as np

    trees, names = BoostedTrees.read(folder / SECOND_LOOK)
    if names != list(SIGNS):
        raise RedactionFailed("The name recogniser's signs fit another version of Tiebreak.")
    sound = np.load(folder / SOUND, allow_pickle=False).astype(np.float32)
    return SecondLook(NameSigns(lexicon, counts, casing, NameSound(sound)), trees)


def save_network(arrays: dict[str, Any], lexicon: Lexicon, folder: Path) -> None:
    """Write a network, and the words that it was taught with.

    arrays: by name, as `name_network.shapes` names them.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / WEIGHTS, in_a_row(arrays).astype(np.float16), allow_pickle=False)
    for field, file in LISTS.items():
        _write(folder / file, sorted(getattr(lexicon, field)))


def load_network(model: str, folder: Path) -> tuple[NameNetwork, Lexicon]:
    """What `save_network` wrote."""
    import numpy as np

    flat = np.load(folder / WEIGHTS, allow_pickle=False).astype(np.float32)
    if flat.size != size():
        raise RedactionFailed("The name recogniser's weights fit another version of Tiebreak.")
    lists = {field: frozenset(_lines(folder / file)) for field, file in LISTS.items()}
    return NameNetwork(dict(parts(flat))), Lexicon(english_kinds(model), **lists)


def save_second_look(
    counts: NameCounts,
    casing: WordCasing,
    sound: NDArray[np.float32],
    trees: BoostedTrees,
    places: Places,
    folder: Path,
) -> None:
    """Write what `SecondLook` judges by, and what is nobody's, next to the network."""
    import numpy as np

    counts.write(folder)
    casing.write(folder)
    places.write(folder)
    np.save(folder / SOUND, sound.astype(np.float16), allow_pickle=False)
    trees.write(folder / SECOND_LOOK, list(SIGNS))


def save_meta(folder: Path, meta: Mapping[str, Any]) -> str:
    """Write what is known of a recogniser that is all written; its digest."""
    digest = _digest(folder)
    about = {**meta, "labels": LABELS, "sha256": digest}
    (folder / META).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return digest


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _write(path: Path, words: Sequence[str]) -> None:
    path.write_text("\n".join(words) + "\n", encoding="utf-8", newline="\n")


def _digest(folder: Path) -> str:
    """SHA-256 of the weights and the lists, one after the other, hex."""
    return hashlib.sha256(b"".join((folder / file).read_bytes() for file in FILES)).hexdigest()
