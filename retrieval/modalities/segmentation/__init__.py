"""Reading segmentation maps: formats of data sets, palettes, masks and drawings."""
