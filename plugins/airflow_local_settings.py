"""What Airflow loads before anything else, in all its processes.

They hold secrets in their environment, so they close it to every other process of their user: to what reads foreign
files above all (docs/decisions/0033).

Their start makes millions of objects that stay. With Python's default the collector of garbage looks through them
again and again and finds nothing: a quarter of the API server's start.
"""

import gc

from settlement.confinement import close_to_others

__all__: list[str] = []  # Airflow makes public names its own settings

close_to_others()

ALLOCATIONS_BEFORE_A_COLLECTION = 50_000

gc.set_threshold(ALLOCATIONS_BEFORE_A_COLLECTION, *gc.get_threshold()[1:])
