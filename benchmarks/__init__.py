"""Speed beside its floor: every number is a ratio to what was measured in the same run."""
