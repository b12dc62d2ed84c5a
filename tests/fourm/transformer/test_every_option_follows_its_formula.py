"""The transformer of every config, against its formulas written out one sample at a time.

4M-21 reference, sec. 2: nothing of `fourm.transformer` is used here but the weights by their names.
"""

import math

import pytest
import torch

from fourm.checkpoints import Fields
from fourm.generation import Sampler, Step, keep_likely
from fourm.tokenizers.wordpiece import SpecialIds
from fourm.transformer import FM, FMConfig, SequenceDecoder, sequence_logits
from fourm.transformer.embeddings import ModalityInput

PHOTO, WORDS, STATES = "rgb@224", "caption", "t5_caption"
LABELS, GLOBAL = "tok_semseg@224", "tok_dinov2_global"
IDS = SpecialIds(pad=0, end=3, sentinels=range(4, 14))
OFFICIAL = {
    "act_layer": "SiLU",
    "gated_mlp": True,
    "qkv_bias": False,
    "proj_bias": False,
    "mlp_bias": False,
    "norm_bias": False,
}
SWITCHES = {
    "as 4M-21": {},
    "all biases": {name: True for name in OFFICIAL if name.endswith("bias")},
    "qkv bias": {"qkv_bias": True},
    "projection bias": {"proj_bias": True},
    "bias of a gated mlp": {"mlp_bias": True},
    "norm bias": {"norm_bias": True},
    "plain mlp": {"gated_mlp": False, "act_layer": "GELU"},
    "plain mlp with biases": {"gated_mlp": False, "act_layer": "ReLU", "mlp_bias": True},
    "gated by gelu": {"act_layer": "GELU"},
    "gated by a sigmoid": {"act_layer": "Sigmoid"},
    "gated by nothing": {"act_layer": "Identity"},
    "leaky mlp": {"gated_mlp": False, "act_layer": "LeakyReLU"},
    "odd hidden width": {"mlp_ratio": 3.3},
    "hidden width that is rounded twice": {"mlp_ratio": 3.33},
    "query and key norms": {"qk_norm": True},
    "query and key norms with biases": {"qk_norm": True, "norm_bias": True, "qkv_bias": True},
    "one register": {"num_register_tokens": 1},
    "three registers": {"num_register_tokens": 3, "qk_norm": True},
    "one head": {"num_heads": 1},
    "no shared modality vectors": {"share_modality_embeddings": False},
    "shallow decoder": {"encoder_depth": 3, "decoder_depth": 1},
    "no encoder blocks": {"encoder_depth": 0},
}
ACTS = {
    "SiLU": lambda x: x / (1 + (-x).exp()),
    "ReLU": lambda x: x.clamp(min=0),
    "Sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "Identity": lambda x: x,
    "LeakyReLU": lambda x: x.clamp(min=0) + 0.01 * x.clamp(max=0),
    "GELU": lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2,
}


def build(switches):
    fields = {
        "domains_in": [PHOTO, WORDS, STATES, LABELS, GLOBAL],
        "domains_out": [WORDS, LABELS, GLOBAL],
        "dim": 24,
        "encoder_depth": 2,
        "decoder_depth": 2,
        "num_heads": 3,
        "modality_info": {
            PHOTO: {"patch_size": 4, "max_tokens": 9},
            WORDS: {"vocabulary": 40, "max_tokens": 12},
            STATES: {"width": 5, "max_tokens": 7},
            LABELS: {"vocabulary": 20, "max_tokens": 9},
            GLOBAL: {"vocabulary": 16, "max_tokens": 4},
        },
        **OFFICIAL,
        **switches,
    }
    torch.manual_seed(3)
    model = FM(FMConfig.from_fields(Fields(fields))).eval()
    for name, value in model.named_parameters():
        spread = 0.5 if "emb" in name or "token" in name or value.dim() == 1 else 0.25
        torch.nn.init.normal_(value, mean=float("norm" in name and "weight" in name), std=spread)
    return model.double()


@pytest.fixture(params=SWITCHES)
def model(request):
    return build(SWITCHES[request.param])


class Formulas:
    """One sample at a time, from a state dict."""

    def __init__(self, model):
        self.state, self.config = model.state_dict(), model.config

    def get(self, name):
        return self.state[name]

    def linear(self, name, x):
        y = x @ self.get(f"{name}.weight").T
        return y + self.get(f"{name}.bias") if f"{name}.bias" in self.state else y

    def norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        spread = ((x - mean) ** 2).mean(-1, keepdim=True)
        y = (x - mean) / (spread + 1e-6).sqrt() * self.get(f"{name}.weight")
        assert self.config.norm_bias or not self.get(f"{name}.bias").any()
        return y + self.get(f"{name}.bias")

    def mlp(self, name, x):
        hidden = ACTS[self.config.act_layer](self.linear(f"{name}.fc1", x))
        if self.config.gated_mlp:
            width = 2 * int(self.config.mlp_ratio * self.config.dim) // 3  # rounded down twice
            assert hidden.shape[-1] == width
            hidden = hidden * self.linear(f"{name}.fc3", x)
        return self.linear(f"{name}.fc2", hidden)

    def attend(self, name, q, k, v, causal=False):
        """Token by token, head by head: q (M, dim), k and v (K, dim)."""
        width = self.config.dim // self.config.num_heads
        out = torch.zeros_like(q)
        for head in range(self.config.num_heads):
            part = slice(head * width, (head + 1) * width)
            hq, hk = q[:, part], k[:, part]
            if self.config.qk_norm:
                hq, hk = self.norm(f"{name}.q_norm", hq), self.norm(f"{name}.k_norm", hk)
            for row in range(len(q)):
                seen = row + 1 if causal else len(k)
                if not seen:
                    continue
                scores = hk[:seen] @ hq[row] / math.sqrt(width)
                weights = (scores - scores.max()).exp()
                out[row, part] = (weights / weights.sum()) @ v[:seen, part]
        return self.linear(f"{name}.proj", out)

    def self_attention(self, name, x, causal=False):
        return self.attend(name, *self.linear(f"{name}.qkv", x).chunk(3, dim=-1), causal)

    def embed(self, name, content):
        """Content and position + modality of one sample's visible tokens."""
        prefix = f"encoder_embeddings.{name}"
        positions, vector = self.get(f"{prefix}.pos_emb")[0], self.get(f"{prefix}.mod_emb")[0]
        if name == PHOTO:
            weight, patch = self.get(f"{prefix}.proj.weight"), 4
            rows = []
            for top in range(0, content.shape[1], patch):
                for left in range(0, content.shape[2], patch):
                    square = content[:, top : top + patch, left : left + patch]
                    rows.append(weight @ square.permute(1, 2, 0).reshape(-1))
            x = torch.stack(rows)
        elif name == STATES:
            x = self.linear(f"{prefix}.emb_proj", content)
        else:
            x = self.get(f"{prefix}.token_emb.weight")[content]
        return x, positions[: len(x)] + vector

    def context(self, sample):
        """The context of the decoder, (K, dim)."""
        parts = [self.embed(name, content) for name, content in sample.items()]
        dim, registers = self.config.dim, self.config.num_register_tokens
        x = torch.cat([torch.zeros(0, dim).double(), *(x for x, _ in parts)])
        e = torch.cat([torch.zeros(0, dim).double(), *(e for _, e in parts)])
        h = x + e
        if registers:
            h = torch.cat([self.get("register_tokens")[0], h])
            e = torch.cat([torch.zeros(registers, dim).double(), e])
        for i in range(self.config.encoder_depth):
            name = f"encoder.{i}"
            h = h + self.self_attention(f"{name}.attn", self.norm(f"{name}.norm1", h))
            h = h + self.mlp(f"{name}.mlp", self.norm(f"{name}.norm2", h))
        return self.linear("decoder_proj_context", self.norm("encoder_norm", h)) + e

    def decode(self, y, context, causal):
        for i in range(self.config.decoder_depth):
            name = f"decoder.{i}"
            y = y + self.self_attention(f"{name}.self_attn", self.norm(f"{name}.norm1", y), causal)
            q = self.linear(f"{name}.cross_attn.q", self.norm(f"{name}.query_norm", y))
            kv = self.linear(f"{name}.cross_attn.kv", self.norm(f"{name}.context_norm", context))
            y = y + self.attend(f"{name}.cross_attn", q, *kv.chunk(2, dim=-1))
            y = y + self.mlp(f"{name}.mlp", self.norm(f"{name}.norm2", y))
        return self.norm("decoder_norm", y)

    def logits(self, sample, target, ids=None):
        """Of all tokens of an image-like modality, or of the token after each id of a text."""
        prefix = f"decoder_embeddings.{target}"
        positions, vector = self.get(f"{prefix}.pos_emb")[0], self.get(f"{prefix}.mod_emb")[0]
        if ids is None:
            y = self.get("mask_token")[0] + positions + vector
        else:
            y = self.get(f"{prefix}.token_emb.weight")[ids] + positions[: len(ids)] + vector
        y = self.decode(y, self.context(sample), causal=ids is not None)
        return y @ self.get(f"{prefix}.to_logits.weight").T


def samples():
    """Of different modalities and lengths, as lists of visible content."""
    torch.manual_seed(1)
    return [
        {WORDS: torch.randint(40, (7,)), PHOTO: torch.randn(3, 12, 12).double()},
        {PHOTO: torch.randn(3, 12, 12).double(), STATES: torch.randn(5, 5).double()},
        {WORDS: torch.randint(40, (3,)), LABELS: torch.randint(20, (9,))},
        {GLOBAL: torch.randint(16, (4,)), STATES: torch.randn(2, 5).double()},
    ]


def batch(rows):
    """Samples as one batch; what a sample does not have is masked."""
    shapes = {PHOTO: (3, 12, 12), WORDS: (7,), STATES: (5, 5), LABELS: (9,), GLOBAL: (4,)}
    inputs = {}
    for name, shape in shapes.items():
        positions = 9 if name == PHOTO else shape[0]
        whole = name in (PHOTO, STATES)
        content = torch.zeros(len(rows), *shape, dtype=torch.float64 if whole else torch.int64)
        masked = torch.ones(len(rows), positions, dtype=torch.bool)
        for row, sample in enumerate(rows):
            if name in sample:
                length = positions if name == PHOTO else len(sample[name])
                content[row, : 3 if name == PHOTO else length] = sample[name]
                masked[row, :length] = False
        inputs[name] = ModalityInput(content, masked)
    return inputs


@torch.no_grad()
def test_image_tokens(model):
    formulas, rows = Formulas(model), samples()
    for target in (LABELS, GLOBAL):
        logits = model.decode_logits(model.encode(batch(rows)), target)
        for row, sample in enumerate(rows):
            want = formulas.logits(sample, target)
            torch.testing.assert_close(logits[row], want, rtol=0, atol=1e-9)


@torch.no_grad()
def test_several_targets_in_one_pass(model):
    formulas, rows = Formulas(model), samples()
    logits = model.decode_all_logits(model.encode(batch(rows)), [GLOBAL, LABELS])
    for name, got in logits.items():
        want = torch.stack([formulas.logits(sample, name) for sample in rows])
        torch.testing.assert_close(got, want, rtol=0, atol=1e-9)


@torch.no_grad()
def test_sequences_with_and_without_a_cache(model):
    formulas, rows = Formulas(model), samples()
    ids = torch.randint(40, (len(rows), 6))
    encoded = model.encode(batch(rows))
    want = torch.stack(
        [formulas.logits(*pair) for pair in zip(rows, [WORDS] * 4, ids, strict=True)]
    )
    whole = sequence_logits(model, encoded, WORDS, ids)
    torch.testing.assert_close(whole, want, rtol=0, atol=1e-9)
    decoder = SequenceDecoder(model, encoded, WORDS, 6)
    for position in range(6):
        got = decoder.next_logits(ids[:, position])
        torch.testing.assert_close(got, want[:, position], rtol=0, atol=1e-9)


@torch.no_grad()
def test_guidance_by_scale_and_by_weights(model):
    """4M-21 reference, sec. 4.4: u + s (c - u), and u + sum of w_i (c_i - u); greedy tokens."""
    formulas = Formulas(model)
    words = torch.randint(40, (2, 5))
    states = torch.randn(2, 3, 5).double()
    sampler = Sampler(model, IDS)
    text, t5 = sampler.given(WORDS, words), sampler.given(STATES, states)
    silent = {WORDS: torch.tensor([IDS.sentinel(1)]), STATES: torch.zeros(1, 5).double()}
    step = Step(LABELS, "roar", None, 0.0, 2.5, (WORDS, STATES))
    got = sampler.generate({WORDS: text, STATES: t5}, [step])[LABELS].content
    step = Step(LABELS, "roar", None, 0.0, (1.5, -0.5))
    weighed = sampler.generate_weighted([{WORDS: text}, {STATES: t5}], [step])[LABELS].content
    for row in range(2):
        c = formulas.logits({WORDS: words[row], STATES: states[row]}, LABELS)
        u = formulas.logits(silent, LABELS)
        assert got[row].tolist() == (u + 2.5 * (c - u)).argmax(-1).tolist()
        u = formulas.logits({}, LABELS)
        c1 = formulas.logits({WORDS: words[row]}, LABELS)
        c2 = formulas.logits({STATES: states[row]}, LABELS)
        want = u + 1.5 * (c1 - u) - 0.5 * (c2 - u)
        assert weighed[row].tolist() == want.argmax(-1).tolist()


@torch.no_grad()
def test_tokens_generated_after_a_text(model):
    """A chain, greedy: the text token by token, then image tokens one by one."""
    formulas = Formulas(model)
    image = torch.randn(1, 3, 12, 12).double()
    sampler = Sampler(model, IDS)
    schedule = [
        Step(WORDS, "autoregressive", None, 0.0),
        *[Step(GLOBAL, "maskgit", 1, 0.0)] * 4,
    ]
    made = sampler.generate({PHOTO: sampler.given(PHOTO, image)}, schedule)
    written, most = [], 11
    start, end = IDS.sentinel(1), IDS.sentinel(2)
    # An empty text shows its own sentinel.
    sample = {PHOTO: image[0], WORDS: torch.tensor([start])}
    while len(written) < most and (not written or written[-1] != end):
        ids = torch.tensor([start, *written])
        written.append(int(formulas.logits(sample, WORDS, ids)[-1].argmax()))
    text = made[WORDS].content[0].tolist()
    spans, span = {start: []}, start
    for token in written:
        if token in IDS.sentinels:
            span = token
            spans.setdefault(token, [])
        elif span == start:
            spans[start].append(token)
    if written.count(start) == 0:
        assert text == spans[start]
    sample = {PHOTO: image[0], WORDS: torch.tensor(text, dtype=torch.int64)}
    known = {}
    for _ in range(4):
        logits = formulas_with(formulas, sample, known)
        left = [position for position in range(4) if position not in known]
        sure = max(left, key=lambda position: float(logits[position].softmax(-1).max()))
        known[sure] = int(logits[sure].argmax())
    assert made[GLOBAL].content[0].tolist() == [known[position] for position in range(4)]


def formulas_with(formulas, sample, known):
    """Logits of GLOBAL where some of its tokens are known: only the others are decoded."""
    embed = formulas.embed

    def partly(name, content):
        x, e = embed(name, content)
        if name != GLOBAL:
            return x, e
        positions = sorted(known)
        e = formulas.get(f"encoder_embeddings.{GLOBAL}.pos_emb")[0][positions]
        return x, e + formulas.get(f"encoder_embeddings.{GLOBAL}.mod_emb")[0]

    formulas.embed = partly
    shown = {name: content for name, content in sample.items() if len(content)}
    if known:
        shown[GLOBAL] = torch.tensor([known[position] for position in sorted(known)])
    left = [position for position in range(4) if position not in known]
    prefix = f"decoder_embeddings.{GLOBAL}"
    y = formulas.get("mask_token")[0] + formulas.get(f"{prefix}.pos_emb")[0][left]
    y = y + formulas.get(f"{prefix}.mod_emb")[0]
    y = formulas.decode(y, formulas.context(shown), causal=False)
    formulas.embed = embed
    logits = y @ formulas.get(f"{prefix}.to_logits.weight").T
    return dict(zip(left, logits, strict=True))


@pytest.mark.parametrize("rows", [1, 3])
def test_top_k_and_top_p_follow_their_definitions(rows):
    torch.manual_seed(0)
    logits = torch.randn(rows, 12)
    logits[:, 3] = logits[:, 4]  # a tie
    for top_k in (1, 3, 0.25, 0.99):
        for top_p in (0.0, 0.3, 0.8):
            got = keep_likely(logits, top_k, top_p)
            for row in range(rows):
                count = max(int(top_k * 12) if isinstance(top_k, float) else top_k, 1)
                smallest = sorted(logits[row].tolist(), reverse=True)[count - 1]
                kept = [i for i in range(12) if logits[row, i] >= smallest]
                if top_p:
                    chances = logits[row, kept].softmax(-1).tolist()
                    order = sorted(range(len(kept)), key=lambda i: -chances[i])
                    total, likely = 0.0, []
                    for i in order:
                        if total > top_p:
                            break
                        likely.append(kept[i])
                        total += chances[i]
                    kept = sorted(likely)
                assert got[row].isfinite().nonzero().flatten().tolist() == kept
