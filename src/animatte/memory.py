"""Memory as a budget: read from users, shared between pictures, and what a picture takes."""

from __future__ import annotations

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
# Python, its libraries and a network at rest.
BASE = 200 * 10**6
