"""Text tokenizers small enough to be made by a test."""

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors


def text_tokenizer(words=(), axes=("v0", "v1", "v2", "v3"), sentinels=3):
    """A tokenizer built as 4M-21's is: special tokens, 1000 numbers an axis, then words."""
    numbers = [f"{axis}={value}" for axis in axes for value in range(1000)]
    special = ["[PAD]", "[UNK]", "[SOS]", "[EOS]", *(f"[S_{i}]" for i in range(sentinels))]
    vocabulary = {token: i for i, token in enumerate([*special, *numbers, *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(special)
    tokenizer.add_special_tokens([AddedToken(n, single_word=True) for n in numbers])
    return tokenizer


def sentence_tokenizer(words):
    """A BERT tokenizer: [CLS] words [SEP]."""
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer
