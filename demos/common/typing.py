"""The type of arrays in the demos' signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
