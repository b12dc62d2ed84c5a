"""A query and its hits as a page or a contact sheet."""

from retrieval.report.outputs import ResultFiles
from retrieval.report.rendering import render_page, write_sheet

__all__ = ["ResultFiles", "render_page", "write_sheet"]
