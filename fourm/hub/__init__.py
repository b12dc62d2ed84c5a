"""Which model lies where, and what it still needs: names, folders, caches, downloads.

===============  ============================================================================
cache            the user's cache folder
sources          hub names and folders on this disk
pulled           the record of what was pulled
digests          SHA-256 of large files, remembered
manifest         the parts of a model: `bundle.json`, or those of an official 4M-21 model
official         the official models, tokenizers and spaces by name
availability     which tokenizers are on this disk, and the command that fetches what is missing
teachers         the networks that 4M-21 learned from, by name
names            models and official tokenizers, by short names
finding          from the name or the folder of a model to its manifest
requirements     which of them a purpose needs
listing          the models and tokenizers there are, and which of them are on this disk
fetching         one file over HTTP: resumed, its hash checked
destinations     where fetched files go: the hub's cache, or a folder of the user's
pulling          a model with the tokenizers that it needs
text_tokenizer   the one file of 4M-21's text tokenizer
expected         the tensors that a config, or an official name, asks for
verifying        whether a folder holds them
describing       what a folder is, and what is missing to use all of it
===============  ============================================================================

Nothing is imported here, and no module imports torch before it needs it.
"""
