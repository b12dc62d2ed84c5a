"""Tokenizers: what turns a picture, a map, a vector or a text into codes and back.

==================  ===========================================================================
config              the fields of a tokenizer's `config.json`, checked
vit                 the ViT encoder and decoder of grids (segmentation, CLIP features, ...)
bottleneck_mlp      the residual MLP encoder and decoder of single vectors (global embeddings)
lucid, memcodes     the two quantizers: one codebook for a grid, a product code for a vector
vqvae               the tokenizer put together: `encode`, `decode_tokens`, `decode_soft`
diffusion           tokenizers whose decoder is a diffusion model
wordpiece           text to word pieces
==================  ===========================================================================

Nothing is imported here, so that the text tokenizer can be used without torch.
"""
