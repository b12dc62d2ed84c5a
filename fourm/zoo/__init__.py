"""The model zoo: which models and tokenizers there are, fetching them, checking what was fetched.

==========  =================================================================================
names       the models and the official tokenizers, by short names
needs       which of them a purpose needs
listing     which of them are on this disk
fetching    one file over HTTP: resumed, its hash checked
shelves     where fetched files go: the hub's cache, or a folder of the user's
pulling     a model with the tokenizers that it needs
expected    the tensors that a config, or an official name, asks for
verifying   whether a folder holds them
describing  what a folder is, and what is missing to use all of it
==========  =================================================================================

Nothing is imported here, and no module imports torch before it needs it.
"""
