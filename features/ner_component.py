"""NerComponent: the trained named-entity recogniser that ships in `ner/`, as numbers on disk.

It is a spaCy NER pipe of the shape of the base model's, with labels of ours. `weights.npy` holds
all its parameters, one after the other, in half precision; `names.txt` the dictionary's words that
are names, too; `meta.json` says where they come from. The redaction policy names their digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from features.errors import RedactionFailed

SHIPPED = Path(__file__).with_name("ner")
META, WEIGHTS = "meta.json", "weights.npy"
# MISC: tools, products, brands and titles. Never reported: it keeps the others off them.
LABELS = ("PERSON", "ORGANIZATION", "STREET_ADDRESS", "LOCATION", "NRP", "DATE_TIME", "MISC")
NAMES = "names.txt"  # words that are names, too: one a line
UNUSED = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "ner")


def tokenizer_of(model: str) -> Any:
    """A spaCy model's vocabulary and tokenizer, without its pipes."""
    import spacy

    return spacy.load(model, exclude=UNUSED)


def untrained(nlp: Any) -> Any:
    """A recogniser of our labels, of the shape of the base model's, with random weights."""
    shape = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 64,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 96,
                "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                "rows": [5000, 1000, 2500, 2500],
                "include_static_vectors": False,
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 96,
                "depth": 4,
                "window_size": 1,
                "maxout_pieces": 3,
            },
        },
    }
    ner = nlp.create_pipe("ner", config={"model": shape})
    for label in LABELS:
        ner.add_label(label)
    ner.initialize(lambda: _nothing(nlp), nlp=nlp)
    on_numpy(ner)
    return ner


def on_numpy(ner: Any) -> None:
    """Let NumPy multiply the matrices: on one thread in half the time that BLIS takes."""
    from thinc.api import NumpyOps

    ops = NumpyOps(use_blis=False)
    for node in ner.model.walk():
        node.ops = ops


def ordinary_words(model: str, folder: Path = SHIPPED) -> frozenset[str]:
    """English words in lower case that are hardly ever a name: WordNet's, as spaCy brings them."""
    import spacy

    pipe = spacy.load(model, exclude=[p for p in UNUSED if p != "lemmatizer"])
    index = pipe.get_pipe("lemmatizer").lookups.get_table("lemma_index")
    names = (folder / NAMES).read_text(encoding="utf-8").split()
    words = (index[kind] for kind in ("noun", "verb", "adj", "adv"))
    return frozenset().union(*words).difference(names)


def load_component(nlp: Any, digest: str, folder: Path = SHIPPED) -> Any:
    """The recogniser in a folder, on a tokenizer from `tokenizer_of`.

    Raises:
        RedactionFailed: its files are not those with this digest, or fit no spaCy of this version.
    """
    import numpy as np

    try:
        found = _digest(folder)
    except OSError as error:
        raise RedactionFailed(
            f"The name recogniser's files ({WEIGHTS}, {NAMES}) cannot be read. Install Tiebreak "
            "again."
        ) from error
    if found != digest:
        raise RedactionFailed(
            "The name recogniser's files are not those that the redaction policy names "
            "(ner_weights). Restore the shipped ones, or put their digest into the policy."
        )
    ner = untrained(nlp)
    flat = np.load(folder / WEIGHTS, allow_pickle=False).astype(np.float32)
    if flat.size != sum(node.get_param(name).size for node, name in _parameters(ner)):
        raise RedactionFailed("The name recogniser's weights fit another version of spaCy.")
    at = 0
    for node, name in _parameters(ner):
        old = node.get_param(name)
        node.set_param(name, flat[at : at + old.size].reshape(old.shape))
        at += old.size
    return ner


def save_component(ner: Any, names: Sequence[str], folder: Path, meta: dict[str, Any]) -> str:
    """Write a recogniser, and what is known of it; its digest.

    names: those that are words of the dictionary, too.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    values = [np.ravel(node.get_param(name)) for node, name in _parameters(ner)]
    np.save(folder / WEIGHTS, np.concatenate(values).astype(np.float16), allow_pickle=False)
    (folder / NAMES).write_text("\n".join(names) + "\n", encoding="utf-8", newline="\n")
    digest = _digest(folder)
    about = {**meta, "labels": LABELS, "sha256": digest}
    (folder / META).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return digest


def _digest(folder: Path) -> str:
    """SHA-256 of the weights and the names, one after the other, hex."""
    return hashlib.sha256(
        (folder / WEIGHTS).read_bytes() + (folder / NAMES).read_bytes()
    ).hexdigest()


def _parameters(ner: Any) -> Iterator[tuple[Any, str]]:
    """Every parameter of the network, in an order that its shape alone decides."""
    for node in ner.model.walk():
        for name in node.param_names:
            if node.has_param(name):
                yield node, name


def _nothing(nlp: Any) -> list[Any]:
    """An example without entities: spaCy wants one to find out the network's sizes."""
    from spacy.training import Example

    doc = nlp.make_doc("a b")
    return [Example(doc, doc.copy())]
