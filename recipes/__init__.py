"""How shipped models were made. Not part of the installed package."""
