"""Fit parts of a model to a data set and write them as a model folder.

Label-map tokenizers, embedding spaces, linear probes and further inputs are fitted one by one;
`recipes/mini` uses all of them. Nothing that embeds, searches or generates imports this package.
"""
