"""What Airflow finds in the plugin."""

import importlib.util
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "plugins" / "settlement_plugin.py"


def test_the_plugin_registers_the_timetable_and_the_deadline_reference():
    specification = importlib.util.spec_from_file_location("settlement_plugin", PLUGIN)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert [timetable.__name__ for timetable in module.SettlementPlugin.timetables] == ["WorkingDayTimetable"]
    assert [reference.__name__ for reference in module.SettlementPlugin.deadline_references] == ["RunPlannedAt"]


def test_the_plugin_loads_no_web_framework_because_every_task_process_loads_it():
    code = "import runpy, sys; import airflow.plugins_manager; before = set(sys.modules);"
    code += f"runpy.run_path({str(PLUGIN)!r});"
    code += "print([name for name in ('fastapi', 'duckdb', 'great_expectations') if name in set(sys.modules) - before])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
