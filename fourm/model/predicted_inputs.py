"""Inputs that the model itself predicts from an image: the first pass of a chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fourm.errors import BadInput
from fourm.modalities import IMAGE, MODALITIES, Content
from fourm.model.network import Network
from fourm.model.samples import Prepared, TokenIds, WeightedFusion

if TYPE_CHECKING:
    from fourm.tokenizers.wordpiece import SpecialIds
    from fourm.transformer.config import FMConfig


def predictable(
    inputs: Mapping[str, str], config: FMConfig, outputs: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The modalities that a model can predict from an image and then be given.

    Tokens that are read as they are predicted need no tokenizer, so that modalities of 4M-21 count
    whether or not the model reads them.

    Args:
        inputs: modality -> name in the model's config, of those that the model reads.
        config: of the transformer.
        outputs: modality -> name in the model's config, of those that are predicted as other
            tokens than they are read as; they are decoded and read again.

    Returns:
        Modality -> name in the model's config of what is predicted.
    """
    if IMAGE.name not in inputs:
        return {}
    further = {
        name: modality.tokens.name
        for name, modality in MODALITIES.items()
        if name not in inputs and modality.tokens.name not in inputs.values()
    }
    known = {
        name: tokens
        for name, tokens in {**inputs, **further}.items()
        if not MODALITIES[name].is_embedding
        and tokens in config.domains_in
        and tokens in config.domains_out
        and config.modalities[tokens].is_predictable
    }
    again = {name: tokens for name, tokens in (outputs or {}).items() if name in inputs}
    return known | {name: tokens for name, tokens in again.items() if tokens in config.domains_out}


@dataclass(frozen=True)
class Prediction:
    """How a model predicts its inputs.

    Attributes:
        domains: what `predictable` returned.
        ids: modality -> special tokens of its word pieces.
        read_again: modality and predicted ids -> what its reader keeps of their value, or None if
            they stand for nothing that it reads.
    """

    domains: Mapping[str, str]
    ids: Callable[[str], SpecialIds]
    read_again: Callable[[str, list[int]], Content | None]


def with_predicted(
    network: Network, samples: Sequence[Prepared | WeightedFusion], prediction: Prediction
) -> list[Prepared | WeightedFusion]:
    """As `with_predicted_inputs`, for samples and fusions of them."""
    parts = [part for sample in samples for part in _parts(sample)]
    if not any(part.predict for part in parts):
        return list(samples)
    complete = iter(with_predicted_inputs(network, parts, prediction))
    return [
        next(complete)
        if isinstance(sample, Prepared)
        else WeightedFusion(
            tuple((next(complete), weight) for _, weight in sample.parts), sample.method
        )
        for sample in samples
    ]


def _parts(sample: Prepared | WeightedFusion) -> list[Prepared]:
    return [sample] if isinstance(sample, Prepared) else [part for part, _ in sample.parts]


def with_predicted_inputs(
    network: Network, samples: Sequence[Prepared], prediction: Prediction
) -> list[Prepared]:
    """The samples, with what is to be predicted from their images added to their contents.

    One pass of the encoder over these images; the likeliest tokens of all image-like modalities
    from one pass of the decoder, sequences token by token. Where the model reads other tokens than
    it predicts, these are decoded and read again; otherwise they are inputs as they are.

    Args:
        network: the transformer.
        samples: any; those with nothing to predict stay as they are.
        prediction: how the inputs are predicted.

    Raises:
        BadInput: nothing that the model reads was predicted from an image.
    """
    groups: defaultdict[tuple[str, ...], dict[int, Prepared]] = defaultdict(dict)
    for sample in samples:
        if sample.predict:
            groups[sample.predict][id(sample.source)] = sample
    predicted: dict[tuple[int, tuple[str, ...]], dict[str, Content]] = {}
    for modalities, sources in groups.items():
        several = list(sources.values())
        passes = [[one] for one in several] if network.rounds else [several]
        rows = [row for batch in passes for row in _predict(network, batch, modalities, prediction)]
        for source, row in zip(sources, rows, strict=True):
            predicted[source, modalities] = row
    return [
        _added(network, sample, predicted[id(sample.source), sample.predict])
        if sample.predict
        else sample
        for sample in samples
    ]


def _predict(
    network: Network,
    samples: Sequence[Prepared],
    modalities: tuple[str, ...],
    prediction: Prediction,
) -> list[dict[str, Content]]:
    from fourm.generation.sequences import greedy_sequences

    photos = [Prepared({IMAGE.name: sample.source}) for sample in samples]
    encoded = network.encode(network.inputs(photos))
    specs = {name: network.config.modalities[prediction.domains[name]] for name in modalities}
    images = [spec.name for spec in specs.values() if spec.kind == "img"]
    logits = network.logits(encoded, images) if images else {}
    rows: list[dict[str, Content]] = [{} for _ in samples]
    for name, spec in specs.items():
        if spec.name in logits:
            tokens = logits[spec.name].argmax(dim=-1).tolist()
        else:
            special = prediction.ids(name)
            ends = {special.end, *special.sentinels}
            model = network.model(outputs=[spec.name])
            limit = spec.max_tokens - 1
            texts = greedy_sequences(model, encoded, spec.name, special.sentinel(1), ends, limit)
            tokens = [[*text, special.end] for text in texts]
        for row, one in zip(rows, tokens, strict=True):
            content: Content | None = TokenIds(np.array(one, np.int64))
            if network.modalities[name] != spec.name:
                content = prediction.read_again(name, one)
            if content is not None:
                row[name] = content
    return rows


def _added(network: Network, sample: Prepared, predicted: dict[str, Content]) -> Prepared:
    contents = {**sample.contents, **predicted}
    if not contents:
        raise BadInput(f"no {' or '.join(sample.predict)} was predicted from the image")
    return Prepared({name: contents[name] for name in network.modalities if name in contents})
