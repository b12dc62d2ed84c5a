"""Drawing inputs and what was generated, alike on pages, sheets and in files."""
