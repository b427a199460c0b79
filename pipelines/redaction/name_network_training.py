"""The name recogniser's network while it learns: thinc's layers, begun with spaCy's weights.

What it has learned `features.name_network` reads without thinc's layers; a test says that both
score alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from features.name_network import EMBEDDED, LAYERS, PIECES, TABLES, WIDTH
from features.name_tags import TAGS
from features.name_tokens import SEEN
from pipelines.redaction.english_words import BASE_MODEL

FROM_BASE = 4  # of SEEN: what spaCy's own network sees, too


def untrained() -> Any:
    """The network; what spaCy's recognizer has too begins with what that has learned."""
    import numpy as np
    from thinc.api import (
        HashEmbed,
        Maxout,
        NumpyOps,
        Softmax,
        chain,
        clone,
        concatenate,
        expand_window,
        list2ragged,
        ragged2list,
        residual,
        with_array,
    )

    embeds: list[Any] = [
        HashEmbed(width, rows, column=i, seed=seed, dropout=0.0)
        for i, (rows, width, seed) in enumerate(TABLES)
    ]
    mix = Maxout(WIDTH, EMBEDDED, nP=PIECES, dropout=0.0, normalize=True)
    layer: Any = chain(
        expand_window(window_size=1),
        Maxout(WIDTH, 3 * WIDTH, nP=PIECES, dropout=0.0, normalize=True),
    )
    network: Any = chain(
        list2ragged(),
        with_array(concatenate(*embeds)),
        with_array(mix),
        ragged2list(),
        with_array(clone(residual(layer), LAYERS), pad=LAYERS),
        with_array(Softmax(len(TAGS), WIDTH)),
    )
    network.initialize([np.ones((2, len(SEEN)), dtype=np.uint64)])
    ops = NumpyOps(use_blis=False)  # NumPy's own product, on one thread in half the time
    for node in network.walk():
        node.ops = ops
    _begin_with_base(network)
    return network


def arrays(network: Any) -> dict[str, Any]:
    """Its weights, by the names of `name_network.shapes`."""
    return {name: node.get_param(param) for name, node, param in _weights(network)}


def _begin_with_base(network: Any) -> None:
    import spacy

    base = spacy.load(BASE_MODEL, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    learned = list(_nodes(base.get_pipe("ner").model.get_ref("tok2vec")))
    mine = list(_nodes(network))
    tables, theirs = mine[:FROM_BASE], learned[:FROM_BASE]
    maxouts, their_maxouts = mine[len(TABLES) : -1], learned[FROM_BASE:]
    for old, new in zip([*theirs, *their_maxouts], [*tables, *maxouts], strict=False):
        for name in old.param_names:
            value = old.get_param(name)
            if value.shape != new.get_param(name).shape:  # the mix of more features
                wider = new.get_param(name) * 0.3
                wider[..., : value.shape[-1]] = value
                value = wider
            new.set_param(name, value.copy())


def _nodes(network: Any) -> Iterator[Any]:
    """Those that hold weights, in order."""
    return (node for node in network.walk(order="dfs_pre") if node.param_names)


def _weights(network: Any) -> Iterator[tuple[str, Any, str]]:
    nodes = _nodes(network)
    for name in SEEN:
        yield f"{name}.E", next(nodes), "E"
    for name in ("mix", *(f"layer{i}" for i in range(LAYERS))):
        maxout, norm = next(nodes), next(nodes)
        yield f"{name}.W", maxout, "W"
        yield f"{name}.b", maxout, "b"
        yield f"{name}.G", norm, "G"
        yield f"{name}.B", norm, "b"
    softmax = next(nodes)
    yield "tags.W", softmax, "W"
    yield "tags.b", softmax, "b"
