"""Language models: what turns a text into the per-token embeddings of a `seq_emb` modality.

4M-21 takes the outputs of T5-XXL this way (`t5_caption`); a bundle may bring a small sentence
model of its own instead.

Importing this package does not import torch.
"""
