"""What Airflow loads before anything else, in all its processes.

Their start makes millions of objects that stay. With Python's default the collector of garbage looks through them
again and again and finds nothing: a quarter of the API server's start.
"""

import gc

__all__: list[str] = []  # Airflow makes public names its own settings

ALLOCATIONS_BEFORE_A_COLLECTION = 50_000

gc.set_threshold(ALLOCATIONS_BEFORE_A_COLLECTION, *gc.get_threshold()[1:])
