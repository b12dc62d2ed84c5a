"""One input kind each: what a user brings -> what the transformer is given.

==========  =================================================================================
base        what all readers share
photos      photos as pixels
grids       segmentation, depth, normals, edges, photos: as tokens of a tokenizer
features    feature maps and global embeddings of other networks
words       words, boxes, palettes, metadata: as word pieces
sentences   words as outputs of a language model
objects     people and SAM instances
kinds       which reader reads which kind
==========  =================================================================================
"""

from fourm.modalities.readers.base import Content, Reader
from fourm.modalities.readers.kinds import Parts, reader_for
from fourm.modalities.readers.photos import PictureReader

__all__ = ["Content", "Parts", "PictureReader", "Reader", "reader_for"]
