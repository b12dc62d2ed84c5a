"""Generating any kinds from any others with a model and its tokenizers.

==========  =================================================================================
recipes     the default schedule of each kind: one table
settings    what a user may choose instead
plan        from kinds to the parts of a sample and the steps that complete it
generator   the `Generator` itself
==========  =================================================================================
"""

from fourm.bundle.generating.generator import Generator
from fourm.bundle.generating.settings import Settings

__all__ = ["Generator", "Settings"]
