"""The types that signatures in `nn` share."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Seed = np.random.Generator | int | None
