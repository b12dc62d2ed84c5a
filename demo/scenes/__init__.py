"""Rendered scenes with their captions and exact segmentation maps."""

from demo.scenes.render import KINDS, RenderedScene, render_scene

__all__ = ["KINDS", "RenderedScene", "render_scene"]
