"""The former name of `theorems.checking.enclosures`, for those who import from it."""

from theorems.checking.enclosures import Enclosed, Part

__all__ = ["Enclosed", "Part"]
