"""The 4M-21 encoder-decoder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from fourm.errors import BadInput, UnknownModality
from fourm.transformer.attention import visible_keys
from fourm.transformer.blocks import DecoderBlock, EncoderBlock, add
from fourm.transformer.chunks import in_chunks
from fourm.transformer.config import FMConfig
from fourm.transformer.embeddings import ModalityInput, input_embedding
from fourm.transformer.linear import Linear
from fourm.transformer.norm import LayerNorm
from fourm.transformer.selection import take, visible_first
from fourm.transformer.targets import ImageTarget, target_embedding

INPUT_LAYER = -1
"""The number of the encoder's input among its layers."""


class Embedded(NamedTuple):
    """The encoder's input: content x, position plus modality embeddings e, both (B, K, dim), and
    mask (B, K) bool or None."""

    x: Tensor
    e: Tensor
    mask: Tensor | None


class EncoderOutput(NamedTuple):
    """The output of the encoder.

    Attributes:
        tokens: (B, K, dim) after `encoder_norm`; register tokens, if the model has any, come first.
        context: (B, K, dim), what the decoder attends to.
        mask: (B, K) bool, True = padding of a sample with fewer tokens; None: there is none.
        summaries: (B, layers, 2 dim) float32 of the layers that were asked for: the first register
            token, then the mean of the tokens that are no registers, both after `encoder_norm`.
            None: no layer was.
    """

    tokens: Tensor
    context: Tensor
    mask: Tensor | None
    summaries: Tensor | None = None


class FM(nn.Module):
    """The 4M-21 encoder-decoder: from any modalities to the tokens of any modality.

    State-dict keys are those of the official files (4M-21 reference, sec. 1.3). Modules are built
    for the given modalities alone.

    Args:
        config: the switches and the modalities.
        inputs: modalities that can be given; default: all of `config.domains_in`.
        outputs: modalities that can be predicted; default: all of `config.domains_out`.

    Raises:
        UnknownModality: a modality is not in the config.
    """

    def __init__(
        self,
        config: FMConfig,
        inputs: Iterable[str] | None = None,
        outputs: Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        self.inputs = _selected(inputs, config.domains_in, "domains_in")
        self.outputs = _selected(outputs, config.domains_out, "domains_out")
        self.encoder_embeddings = nn.ModuleDict(
            {name: input_embedding(config.modalities[name], dim) for name in self.inputs}
        )
        self.decoder_embeddings = nn.ModuleDict(
            {name: target_embedding(config.modalities[name], dim) for name in self.outputs}
        )
        if config.num_register_tokens:
            self.register_tokens = nn.Parameter(torch.empty(1, config.num_register_tokens, dim))
        self.encoder = nn.ModuleList(EncoderBlock(config) for _ in range(config.encoder_depth))
        self.encoder_norm = LayerNorm(dim, config.norm_bias)
        self.decoder_proj_context = Linear(dim, dim)
        self.mask_token = nn.Parameter(torch.empty(1, 1, dim))
        self.decoder = nn.ModuleList(DecoderBlock(config) for _ in range(config.decoder_depth))
        self.decoder_norm = LayerNorm(dim, config.norm_bias)
        self._initialise()

    def _initialise(self) -> None:
        if self.mask_token.is_meta:
            return
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        nn.init.normal_(self.mask_token, std=0.02)
        if self.config.num_register_tokens:
            nn.init.normal_(self.register_tokens, std=0.02)

    def embed(self, inputs: Mapping[str, ModalityInput], keep: int | None = None) -> Embedded:
        """Embed all modalities of a batch and gather the visible tokens.

        Args:
            inputs: modality -> what is given of it; all of the same batch size.
            keep: maximum number of tokens of a sample; default: all visible tokens are kept.

        Raises:
            UnknownModality: a modality that this model was not built with.
            BadInput: no modality, batch sizes that differ, contents of wrong shapes or ranges.
        """
        if not inputs:
            raise BadInput("the model needs at least one input modality")
        xs, es, masks = [], [], []
        batch = len(next(iter(inputs.values())).content)
        for name, (content, masked) in inputs.items():
            if name not in self.encoder_embeddings:
                raise UnknownModality(
                    f"{name!r} is not an input of this model; it has {', '.join(self.inputs)}"
                )
            x, e = self.encoder_embeddings[name](self._as_weights(content), masked)
            if masked is None:
                masked = x.new_zeros(x.shape[:2], dtype=torch.bool)
            if x.shape[0] != batch or masked.shape != x.shape[:2]:
                raise BadInput(
                    f"content {list(content.shape)} and mask {list(masked.shape)} "
                    f"do not belong to a batch of {batch}",
                    where=name,
                )
            xs.append(x)
            es.append(e.expand(batch, -1, -1))
            masks.append(masked)
        order, mask = visible_first(_joined(masks), keep)
        x = take(_joined(xs), order)
        e = take(_joined(es), order)
        if mask is not None:
            x = x.masked_fill(mask[..., None], 0)
            e = e.masked_fill(mask[..., None], 0)
        return Embedded(x, e, mask)

    def encode(
        self,
        inputs: Mapping[str, ModalityInput],
        keep: int | None = None,
        layers: Sequence[int] = (),
    ) -> EncoderOutput:
        """Run the encoder on a batch whose samples may have different modalities and lengths.

        Arguments and errors as `embed`. The result of a sample does not depend on its batch. With
        `encoder_sep_mask`, inputs do not see each other, and their outputs lie side by side.

        Args:
            inputs, keep: as `embed`.
            layers: of the encoder, from 0, to summarise, in ascending order; -1 is its input. The
                model must have register tokens. With `encoder_sep_mask`, only those of a single
                input are.
        """
        if self.config.encoder_sep_mask and len(inputs) > 1:
            return _side_by_side([self.encode({k: one}, keep) for k, one in inputs.items()])
        return self.encode_embedded(self.embed(inputs, keep), layers)

    def encode_nothing(self, batch: int = 1) -> EncoderOutput:
        """The encoder's output for samples without input: register tokens, or no tokens.

        4M-21 reference, sec. 4.4: the unconditional pass of guidance.
        """
        nothing = self.mask_token.new_zeros(batch, 0, self.config.dim)
        return self.encode_embedded(Embedded(nothing, nothing, None))

    def encode_embedded(self, embedded: Embedded, layers: Sequence[int] = ()) -> EncoderOutput:
        """Run the encoder on embedded tokens (`embed`); `layers` as `encode`."""
        x, e, mask = embedded
        registers = self.config.num_register_tokens
        h = x + e
        if registers:
            h = torch.cat([self.register_tokens.expand(len(h), -1, -1), h], dim=1)
            e = torch.cat([e.new_zeros(len(e), registers, e.shape[2]), e], dim=1)
            if mask is not None:
                mask = torch.cat([mask.new_zeros(len(mask), registers), mask], dim=1)
        allowed, _ = visible_keys(mask)
        found: list[Tensor] = []
        if h.shape[1]:
            h = in_chunks(partial(self._run_encoder, layers=layers, found=found), h, allowed)
        tokens = self.encoder_norm(h)
        summaries = torch.cat(found) if found else None
        return EncoderOutput(tokens, add(self.decoder_proj_context(tokens), e), mask, summaries)

    def _run_encoder(
        self, h: Tensor, allowed: Tensor | None, layers: Sequence[int], found: list[Tensor]
    ) -> Tensor:
        """The last hidden vectors; appends the summaries of the layers, (B, layers, 2 dim)."""
        summaries = [self._summary(h, allowed)] if INPUT_LAYER in layers else []
        for number, block in enumerate(self.encoder):
            h = block(h, allowed)
            if number in layers:
                summaries.append(self._summary(h, allowed))
        if summaries:
            found.append(torch.stack(summaries, dim=1))
        return h

    def _summary(self, h: Tensor, allowed: Tensor | None) -> Tensor:
        registers = self.config.num_register_tokens
        tokens = self.encoder_norm(h)
        others = tokens[:, registers:].float()
        if allowed is None:
            mean = others.mean(dim=1)
        else:
            shown = allowed[:, 0, 0, registers:, None]
            mean = others.masked_fill(~shown, 0).sum(dim=1) / shown.sum(dim=1).clamp_min(1)
        return torch.cat([tokens[:, 0].float(), mean], dim=1)

    def decode(
        self, y: Tensor, encoded: EncoderOutput, self_allowed: Tensor | None = None
    ) -> Tensor:
        """Run the decoder: queries y (B, M, dim) -> (B, M, dim) after `decoder_norm`.

        Args:
            y: content plus position and modality embeddings.
            encoded: of the same batch.
            self_allowed: bool that broadcasts to (B, heads, M, M), True = a query attends to a
                key. None: all attend to all.
        """
        allowed, fully_masked = visible_keys(encoded.mask)
        for block in self.decoder:
            y = block(y, encoded.context, self_allowed, allowed, fully_masked)
        return cast(Tensor, self.decoder_norm(y))

    def decode_logits(
        self,
        encoded: EncoderOutput,
        target: str,
        positions: Tensor | None = None,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, k, vocabulary) of image tokens, in one pass.

        4M-21 reference, sec. 2.4: the content of every query is the mask token, and there is no
        self-attention mask; each token is predicted independently of the others, given the input.

        Args:
            encoded: of a batch.
            target: an output made of image tokens.
            positions: (B, k) int64, which tokens; default: all n of the target, in order.
            padding: (B, k) bool, True = ignored; the logits there are undefined.

        Raises:
            UnknownModality: not an output of this model, or a sequence.
        """
        module = self._image_target(target)
        y = (self.mask_token + module.positions()).expand(len(encoded.context), -1, -1)
        if positions is not None:
            y = take(y, positions)
        allowed, _ = visible_keys(padding)
        return cast(Tensor, module.to_logits(self.decode(y, encoded, allowed)))

    def decode_all_logits(
        self, encoded: EncoderOutput, targets: Sequence[str]
    ) -> dict[str, Tensor]:
        """Logits (B, n, vocabulary) of all tokens of several targets of image tokens, in one pass.

        The attention mask is block-diagonal: each target attends to itself alone, so that its
        logits are those of `decode_logits`, with the context's keys and values computed once.

        Raises:
            UnknownModality: as `decode_logits`.
        """
        modules = [self._image_target(name) for name in targets]
        if not modules:
            return {}
        queries = [self.mask_token + module.positions() for module in modules]
        lengths = [query.shape[1] for query in queries]
        block = torch.arange(len(lengths), device=self.mask_token.device).repeat_interleave(
            torch.tensor(lengths, device=self.mask_token.device)
        )
        allowed = block[:, None] == block if len(modules) > 1 else None
        y = torch.cat(queries, dim=1).expand(len(encoded.context), -1, -1)
        parts = torch.split(self.decode(y, encoded, allowed), lengths, dim=1)
        return {
            name: module.to_logits(part)
            for name, module, part in zip(targets, modules, parts, strict=True)
        }

    def _image_target(self, name: str) -> ImageTarget:
        module = self.target(name)
        if not isinstance(module, ImageTarget):
            raise UnknownModality(f"{name} is a sequence and cannot be predicted in one pass")
        return module

    def target(self, name: str) -> nn.Module:
        """The decoder module of an output.

        Raises:
            UnknownModality: this model was not built with it.
        """
        if name not in self.decoder_embeddings:
            raise UnknownModality(
                f"{name!r} is not an output of this model; it has {', '.join(self.outputs)}"
            )
        return self.decoder_embeddings[name]

    def _as_weights(self, content: Tensor) -> Tensor:
        """Floats in the dtype of the weights; ids unchanged."""
        return content.to(self.mask_token.dtype) if content.is_floating_point() else content


def _side_by_side(parts: Sequence[EncoderOutput]) -> EncoderOutput:
    """The outputs of several passes for the same samples, one after another."""
    tokens = _joined([part.tokens for part in parts])
    context = _joined([part.context for part in parts])
    if all(part.mask is None for part in parts):
        return EncoderOutput(tokens, context, None)
    masks = [
        part.tokens.new_zeros(part.tokens.shape[:2], dtype=torch.bool)
        if part.mask is None
        else part.mask
        for part in parts
    ]
    return EncoderOutput(tokens, context, _joined(masks))


def _joined(parts: list[Tensor]) -> Tensor:
    """Concatenate along the tokens; a single part is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _selected(names: Iterable[str] | None, known: tuple[str, ...], field: str) -> tuple[str, ...]:
    if names is None:
        return known
    selected = set(names)
    if unknown := sorted(selected - set(known)):
        raise UnknownModality(f"not in the model's {field} {list(known)}", where=", ".join(unknown))
    return tuple(name for name in known if name in selected)
