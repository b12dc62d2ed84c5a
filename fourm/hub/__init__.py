"""Models on disk and on the hub: names, folders, caches, downloads, missing tokenizers.

===============  ============================================================================
cache            the user's cache folder, SHA-256 of large files
pulled           the record of what was pulled
sources          from hub names to folders on this disk
manifest         the parts of a model: `bundle.json`, or those of an official 4M-21 model
spaces           how a manifest describes spaces, and which one a query is for
official         the official models, tokenizers and spaces by name
teachers         the networks that 4M-21 learned from, by name
text_tokenizer   the one file of 4M-21's text tokenizer
names            models and official tokenizers, by short names
availability     which tokenizers a model needs, which are on this disk, how to get the others
finding          from the name or the folder of a model to its manifest
listing          the models and tokenizers there are, and which of them are on this disk
fetching         one file over HTTP: resumed, its hash checked
destinations     where downloaded files go: the hub's cache, or a folder
pulling          a model with the tokenizers that it needs
expected         the tensors that a config, or an official name, asks for
verifying        whether a folder holds them
describing       what a folder is, and what is missing to use all of it
===============  ============================================================================

Nothing is imported here, and no module imports torch before it needs it.
"""
