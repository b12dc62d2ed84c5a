"""The sample gallery, and the commands that `make demo` runs on it."""
