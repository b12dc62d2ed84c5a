"""Language models, whose outputs are the inputs of `seq_emb` modalities.

4M-21 is given the outputs of T5-XXL (`t5_caption`); a model folder may have a small language model
of its own instead.

Importing this package does not import torch.
"""
