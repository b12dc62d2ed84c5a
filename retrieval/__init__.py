"""Galleries of images: build one, then search it by text, by image or by any other modality.

    from retrieval import Gallery

    with Gallery.build("photos/", to="photos.index") as gallery:
        for hit in gallery.search(text="a red bicycle", k=10):
            print(hit.rank, hit.score, hit.file)

Importing this package imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.errors import (
    BuildInterrupted,
    ItemError,
    QueryError,
    RetrievalError,
    UsageError,
)
from retrieval.exports import lazy_exports

if TYPE_CHECKING:
    from fourm import BadInput, DiffusionConfig, FourmError, GenerationConfig
    from fourm.modalities.seg import PanopticClass
    from fourm.modalities.seg import panoptic_classes as list_classes
    from indexes import IndexesError
    from retrieval.building import BuildReport
    from retrieval.description import LeftOutFile, SkippedItem
    from retrieval.encoders import Teachers, read_encoder
    from retrieval.escaping import printable
    from retrieval.evaluation import Evaluation, JudgedQuery, evaluate, read_queries
    from retrieval.filters import FilterError
    from retrieval.gallery import Gallery
    from retrieval.generation import Generation, generate, show_query
    from retrieval.hits import Hit
    from retrieval.models import (
        Fetched,
        ModelCard,
        Verified,
        describe_model,
        list_models,
        list_tokenizers,
        pull_model,
        verify_model,
    )
    from retrieval.queries import Query
    from retrieval.queries.options import query_options
    from retrieval.queries.query_files import read_query
    from retrieval.query_inputs import QueryInputs
    from retrieval.report import ResultFiles, render_page, write_sheet

_LAZY = {
    "BadInput": "fourm",
    "BuildReport": "retrieval.building",
    "DiffusionConfig": "fourm",
    "Evaluation": "retrieval.evaluation",
    "Fetched": "retrieval.models",
    "FilterError": "retrieval.filters",
    "FourmError": "fourm",
    "Gallery": "retrieval.gallery",
    "Generation": "retrieval.generation",
    "GenerationConfig": "fourm",
    "Hit": "retrieval.hits",
    "IndexesError": "indexes",
    "JudgedQuery": "retrieval.evaluation",
    "ModelCard": "retrieval.models",
    "PanopticClass": "fourm.modalities.seg",
    "Query": "retrieval.queries",
    "QueryInputs": "retrieval.query_inputs",
    "ResultFiles": "retrieval.report",
    "SkippedItem": "retrieval.description",
    "LeftOutFile": "retrieval.description",
    "Teachers": "retrieval.encoders",
    "Verified": "retrieval.models",
    "describe_model": "retrieval.models",
    "evaluate": "retrieval.evaluation",
    "generate": "retrieval.generation",
    "list_classes": "fourm.modalities.seg:panoptic_classes",
    "list_models": "retrieval.models",
    "list_tokenizers": "retrieval.models",
    "printable": "retrieval.escaping",
    "pull_model": "retrieval.models",
    "query_options": "retrieval.queries.options",
    "read_encoder": "retrieval.encoders",
    "read_queries": "retrieval.evaluation",
    "read_query": "retrieval.queries.query_files",
    "render_page": "retrieval.report",
    "show_query": "retrieval.generation",
    "verify_model": "retrieval.models",
    "write_sheet": "retrieval.report",
}

__version__ = "0.1.0"

__all__ = [
    "BadInput",
    "BuildInterrupted",
    "BuildReport",
    "DiffusionConfig",
    "Evaluation",
    "Fetched",
    "FilterError",
    "FourmError",
    "Gallery",
    "Generation",
    "GenerationConfig",
    "Hit",
    "IndexesError",
    "ItemError",
    "JudgedQuery",
    "LeftOutFile",
    "ModelCard",
    "PanopticClass",
    "Query",
    "QueryError",
    "QueryInputs",
    "ResultFiles",
    "RetrievalError",
    "SkippedItem",
    "Teachers",
    "UsageError",
    "Verified",
    "describe_model",
    "evaluate",
    "generate",
    "list_classes",
    "list_models",
    "list_tokenizers",
    "printable",
    "pull_model",
    "query_options",
    "read_encoder",
    "read_queries",
    "read_query",
    "render_page",
    "show_query",
    "verify_model",
    "write_sheet",
]

__getattr__ = lazy_exports(__name__, _LAZY)
