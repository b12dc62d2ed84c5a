"""The sample gallery: made here, indexed and queried by `make demo`."""
