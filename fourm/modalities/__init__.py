"""The modalities of 4M-21: the table of them, and preparing each from what a user brings."""
