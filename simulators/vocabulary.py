"""What there is, as tables read off the catalogues.

``python -m simulators.vocabulary`` prints them as Markdown; with a file's name it writes them
there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from simulators.activations import ACTIVATIONS
from simulators.chains import CHAINS
from simulators.layers import LAYERS
from simulators.observables import OBSERVABLES, NamedObservable
from simulators.weights import LAWS

__all__ = ["tables"]

_INTRODUCTION = """# The words of a network

Printed by `python -m simulators.vocabulary`, which lists yours too once they are imported. A new
one is one decorated function or one class; the modules named here show how.
"""

_NO_ATTENTION = """
Softmax attention is left out: it multiplies the images of one H under three matrices of weights,
W_Q, W_K and W_V, and a layer here draws one matrix at most and is handed its one image.
"""


def tables() -> str:
    """Chains, layers, laws, activations and observables in Markdown, a table each.

    Example:
        >>> "| `effective_rank` |" in tables()
        True
    """
    parts = [
        _INTRODUCTION,
        _table(
            "Chains (`simulators.chains`, `@named_chain`)",
            ("chain", "meaning"),
            ((chain.spelling, chain.meaning) for chain in CHAINS.values()),
        ),
        _table(
            "Layers (`simulators.layers`, a subclass of `RowLayer`)",
            ("layer", "meaning"),
            ((layer.name, layer.meaning) for layer in LAYERS.values()),
            _NO_ATTENTION,
        ),
        _table(
            "Laws of weights (`simulators.weights`, `@law`)",
            ("law", "meaning", "mean"),
            ((law.example, _plain(law.meaning), f"{law.mean:.3g}") for law in LAWS.values()),
        ),
        _table(
            "Activations (`simulators.activations`, `@activation`)",
            ("activation", "meaning", "F(sx) = sF(x), s > 0", "F(−x) = −F(x)"),
            (
                (entry.example, _plain(entry.meaning), _yes(entry.homogeneous), _yes(entry.odd))
                for entry in ACTIVATIONS.values()
            ),
        ),
        _table(
            "Observables (`simulators.observables`, `@observable`)",
            ("observable", "meaning", "gives", "range", "reads", "exactly, from"),
            map(_observable, OBSERVABLES.values()),
        ),
    ]
    return "\n".join(parts)


def _observable(entry: NamedObservable) -> tuple[str, ...]:
    sources = {"spectrum": entry.of_spectrum, "Gram matrix": entry.of_gram}
    exactly = ", ".join(name for name, evaluate in sources.items() if evaluate is not None)
    reads = {
        "gram": "HᵀH and d" if entry.wide else "HᵀH",
        "backward": "G = ∂L/∂H",
        "tangent": "K",
        "jvp": "Ḣ",
    }
    return (
        entry.example,
        _plain(entry.meaning),
        entry.shape_in_words,
        entry.range_in_words,
        reads.get(entry.reads, "H"),
        exactly or "–",
    )


def _plain(meaning: str) -> str:
    """With the name of a parameter where its value belongs."""
    return meaning.replace("{", "").replace("}", "")


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> str:
    named = ((f"`{name}`", meaning.replace("``", "`"), *rest) for name, meaning, *rest in rows)
    lines = [header, ["---"] * len(header), *named]
    body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"## {title}\n\n{body}\n{note}"


if __name__ == "__main__":
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(tables(), encoding="utf-8")
    else:
        print(tables())
