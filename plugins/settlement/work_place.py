"""Where a load puts what it works on: delivered files, expanded and in clear, as long as the load runs."""

import os
import tempfile
from pathlib import Path


def work_parent() -> Path:
    """The folder that work folders are made in: below ``SETTLEMENT_LOCAL``, else where temporary files go."""
    local = os.environ.get("SETTLEMENT_LOCAL")
    parent = Path(local) / "work" if local else Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    return parent
