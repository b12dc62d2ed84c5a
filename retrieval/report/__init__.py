"""Results for people and programs: tables, JSON, a page, a contact sheet."""

from retrieval.report.page import write_page
from retrieval.report.results import Results
from retrieval.report.sheet import write_sheet

__all__ = ["Results", "write_page", "write_sheet"]
