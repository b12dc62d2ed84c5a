"""Parts of a photo that the model itself predicts: the first pass of a chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fourm.modalities import IMAGE, MODALITIES
from fourm.model.network import Network
from fourm.model.samples import Blend, Prepared, TokenIds

if TYPE_CHECKING:
    from fourm.generation import TextIds
    from fourm.transformer.config import FMConfig


def predictable(kinds: Mapping[str, str], config: FMConfig) -> dict[str, str]:
    """The modalities that a model can predict from an image and then be given.

    They need no tokenizer, so that those of 4M-21 count whether or not the model reads them.

    Args:
        kinds: modality -> name in the model's config, of those that the model reads.
        config: of the transformer.

    Returns:
        Modality -> name in the model's config.
    """
    if IMAGE.name not in kinds:
        return {}
    further = {
        name: modality.tokens.name
        for name, modality in MODALITIES.items()
        if name not in kinds and modality.tokens.name not in kinds.values()
    }
    return {
        name: tokens
        for name, tokens in {**kinds, **further}.items()
        if not MODALITIES[name].is_embedding
        and tokens in config.domains_in
        and tokens in config.domains_out
        and config.modalities[tokens].kind in ("img", "seq")
    }


def completed(
    network: Network, samples: Sequence[Prepared | Blend], ids: Callable[[str], TextIds]
) -> list[Prepared | Blend]:
    """As `with_parts`, for samples and blends of them."""
    parts = [part for sample in samples for part in _parts(sample)]
    if not any(part.taken for part in parts):
        return list(samples)
    whole = iter(with_parts(network, parts, ids))
    return [
        next(whole)
        if isinstance(sample, Prepared)
        else Blend(tuple((next(whole), weight) for _, weight in sample.parts), sample.how)
        for sample in samples
    ]


def _parts(sample: Prepared | Blend) -> list[Prepared]:
    return [sample] if isinstance(sample, Prepared) else [part for part, _ in sample.parts]


def with_parts(
    network: Network, samples: Sequence[Prepared], ids: Callable[[str], TextIds]
) -> list[Prepared]:
    """The samples, what they take from their photos predicted and added to their contents.

    One pass of the encoder over the photos that are taken from; the likeliest tokens of all
    image-kind parts from one pass of the decoder, texts token by token. Nothing is decoded: the
    tokens are inputs as they are.

    Args:
        network: the transformer.
        samples: any; those that take nothing stay as they are.
        ids: special tokens of a text-like kind's word pieces.
    """
    groups: defaultdict[tuple[str, ...], dict[int, Prepared]] = defaultdict(dict)
    for sample in samples:
        if sample.taken:
            groups[sample.taken][id(sample.source)] = sample
    parts: dict[tuple[int, tuple[str, ...]], dict[str, TokenIds]] = {}
    for taken, sources in groups.items():
        rows = _predicted(network, list(sources.values()), taken, ids)
        for source, row in zip(sources, rows, strict=True):
            parts[source, taken] = row
    return [
        _joined(network, sample, parts[id(sample.source), sample.taken]) if sample.taken else sample
        for sample in samples
    ]


def _predicted(
    network: Network,
    samples: Sequence[Prepared],
    taken: tuple[str, ...],
    ids: Callable[[str], TextIds],
) -> list[dict[str, TokenIds]]:
    from fourm.generation.greedy import greedy_sequence

    encoded = network.encode([Prepared({IMAGE.name: sample.source}) for sample in samples])
    named = {kind: network.config.modalities[network.modalities[kind]] for kind in taken}
    pictures = [modality.name for modality in named.values() if modality.kind == "img"]
    logits = network.logits(encoded, pictures) if pictures else {}
    rows: list[dict[str, TokenIds]] = [{} for _ in samples]
    for kind, modality in named.items():
        if modality.name in logits:
            tokens = logits[modality.name].argmax(dim=-1).tolist()
        else:
            special = ids(kind)
            ends = {special.end, *special.sentinels}
            model = network.model(outputs=[modality.name])
            most = modality.max_tokens - 1
            texts = greedy_sequence(model, encoded, modality.name, special.sentinel(1), ends, most)
            tokens = [[*text, special.end] for text in texts]
        for row, one in zip(rows, tokens, strict=True):
            row[kind] = TokenIds(np.array(one, np.int64))
    return rows


def _joined(network: Network, sample: Prepared, parts: dict[str, TokenIds]) -> Prepared:
    contents = {**sample.contents, **parts}
    return Prepared({kind: contents[kind] for kind in network.modalities if kind in contents})
