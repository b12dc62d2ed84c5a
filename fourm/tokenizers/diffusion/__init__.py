"""Diffusion decoders of images, depth maps, normals and edges (4M-21 reference, sec. 3.6).

==========  ===================================================================================
config      `DiffusionConfig`: what a user may choose
schedule    noise schedules
sampling    DDIM and DDPM steps
unet        the network
divae       tokenizers with such a decoder
==========  ===================================================================================

Importing this package does not import torch.
"""
