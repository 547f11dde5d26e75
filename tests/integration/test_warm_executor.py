"""The executor whose workers know what tasks import."""

import subprocess
import sys

from settlement.tasks.warm_executor import IMPORTED_BY_TASKS

FORK = """
import sys
from settlement.tasks.warm_executor import IMPORTED_BY_TASKS, WarmLocalExecutor

class Watched(WarmLocalExecutor):
    def _spawn_worker(self):
        print(*(name for name in IMPORTED_BY_TASKS if name in sys.modules), "great_expectations" in sys.modules)
        super()._spawn_worker()

executor = Watched(parallelism=1)
executor.start()
executor.end()
"""


def test_a_worker_is_forked_with_what_tasks_import() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)
    assert f"{' '.join(IMPORTED_BY_TASKS)} True\n" in done.stdout
