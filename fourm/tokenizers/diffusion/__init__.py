"""Diffusion decoders: the pictures, depth maps, normals and edges of a tokenizer's codes.

`schedule` says how much noise there is at each step, `sampling` takes noise away step by step,
`unet` is the network that says what is under the noise, `divae` puts them behind a tokenizer.
"""
