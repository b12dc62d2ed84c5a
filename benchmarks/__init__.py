"""Speed compared with a baseline that is measured in the same run, and recall."""
