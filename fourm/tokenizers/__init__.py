"""Tokenizers: images, maps, vectors and texts to discrete tokens and back.

==================  ===========================================================================
config              the fields of a tokenizer's `config.json`, checked
vit                 the ViT encoder and decoder of grids (segmentation, CLIP features, ...)
bottleneck_mlp      the residual MLP encoder and decoder of single vectors (global embeddings)
quantizers          one codebook for a grid, a product code for a vector
vqvae               whole tokenizers: `encode`, `decode_tokens`, `decode_soft`
diffusion           tokenizers whose decoder is a diffusion model
wordpiece           the text tokenizer
loading             building tokenizers, and loading them from folders
==================  ===========================================================================

Importing this package does not import torch.
"""
