"""Tokens per second of a caption with cached keys and values, compared with no cache."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.measuring import Row, compared, in_turns, report, seconds
from benchmarks.official_folder import PHOTO, SIZES, build
from benchmarks.options import number

if TYPE_CHECKING:
    from torch import Tensor

    from fourm.transformer import FM, EncoderOutput

TARGET = 3.0
LINEAR = 0.9
CAPTION = "caption"
START = 5  # [S_1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    import torch

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", choices=SIZES, default="B")
    options.add_argument(
        "--tokens", type=number(256), default=64, help="tokens of a caption (default: 64)"
    )
    options.add_argument("--batch-size", type=number(), default=1, help="captions (default: 1)")
    options.add_argument("--rounds", type=number(), default=3, help="repeats of each (default: 3)")
    chosen = options.parse_args(arguments)
    torch.manual_seed(0)
    model = build(chosen.size, [PHOTO], [CAPTION])
    with torch.inference_mode():
        rows = measure(model, chosen.tokens, chosen.batch_size, chosen.rounds)
    setting = {
        "model": f"4M-21 {chosen.size}, random weights" if chosen.size != "tiny" else "tiny",
        "dtype": "float32",
        "tokens": chosen.tokens,
        "batch": chosen.batch_size,
        "rounds": chosen.rounds,
    }
    report("captioning", setting, rows)
    return 0


def measure(model: FM, tokens: int, batch: int, rounds: int) -> list[Row]:
    """Rows of the table: captions of `tokens` tokens and of twice as many."""
    import torch

    from fourm.transformer.embeddings import ModalityInput

    photos = torch.randn(batch, 3, 224, 224)
    encoded = model.encode({PHOTO: ModalityInput(photos)})
    if not torch.equal(cached(model, encoded, tokens), uncached(model, encoded, tokens)):
        print("error: captions with and without cache differ", file=sys.stderr)
        raise SystemExit(1)
    measured = in_turns(
        {
            "uncached": lambda: tokens / seconds(lambda: uncached(model, encoded, tokens)),
            "cached": lambda: tokens / seconds(lambda: cached(model, encoded, tokens)),
            "twice": lambda: 2 * tokens / seconds(lambda: cached(model, encoded, 2 * tokens)),
        },
        rounds,
    )
    return [
        compared(
            f"cached, {tokens} tokens",
            measured["cached"],
            "tokens/s",
            "uncached",
            measured["uncached"],
            target=f"at least {TARGET:g} times",
            least=TARGET,
        ),
        compared(
            f"cached, {2 * tokens} tokens",
            measured["twice"],
            "tokens/s",
            f"cached, {tokens}",
            measured["cached"],
            target=f"linear: at least {LINEAR:g}",
            least=LINEAR,
        ),
    ]


def cached(model: FM, encoded: EncoderOutput, tokens: int) -> Tensor:
    """The greedy caption (B, tokens), each token decoded once."""
    import torch

    from fourm.transformer import SequenceDecoder

    decoder = SequenceDecoder(model, encoded, CAPTION, tokens)
    ids = [torch.full((len(encoded.context),), START)]
    for _ in range(tokens):
        ids.append(decoder.next_logits(ids[-1]).argmax(dim=-1))
    return torch.stack(ids[1:], dim=1)


def uncached(model: FM, encoded: EncoderOutput, tokens: int) -> Tensor:
    """The same caption, the whole prefix decoded at each token."""
    import torch

    from fourm.transformer.sequences import sequence_target

    target = sequence_target(model, CAPTION)
    ids = torch.full((len(encoded.context), 1), START)
    for _ in range(tokens):
        positions = torch.arange(ids.shape[1])
        y = target.token_emb(ids) + target.positions(torch.zeros_like(ids, dtype=torch.bool))
        y = model.decode(y, encoded, positions[None, :] <= positions[:, None])
        ids = torch.cat([ids, target.to_logits(y[:, -1]).argmax(dim=-1)[:, None]], dim=1)
    return ids[:, 1:]


if __name__ == "__main__":
    raise SystemExit(main())
