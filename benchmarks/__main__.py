"""`python -m benchmarks [stage …] [--large]`: measure stages, write results, and write docs/performance.md anew."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import airflow_day, day, gate, grouping, posting, report, suite
from benchmarks.measure import Figure, machine
from benchmarks.scene import Scene, scene

RESULTS = Path(__file__).parent / "results"
SMALL, LARGE = 100_000, 1_000_000
STAGES: dict[str, Callable[[Scene, int, int], list[Figure]]] = {
    "gate": gate.run,
    "suite": suite.run,
    "posting": posting.run,
    "drg_grouping": grouping.run_drg,
    "dip_grouping": grouping.run_dip,
    "day": day.run,
    "empty_day": day.run_empty,
    "empty_day_in_airflow": airflow_day.run,
    "day_after_a_year": day.run_after_a_year,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the stages asked for, each on a server of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="stage", help=f"of {', '.join(STAGES)}; all of them by default")
    parser.add_argument("--large", action="store_true", help=f"{LARGE:,} settlements or cases instead of {SMALL:,}")
    parser.add_argument("--rows", type=int, help="another number of them")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the median counts")
    options = parser.parse_args(arguments)
    if unknown := set(options.stages) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    rows = options.rows or (LARGE if options.large else SMALL)
    RESULTS.mkdir(exist_ok=True)
    for stage in options.stages or STAGES:
        print(f"{stage}, {rows:,} {report.UNITS.get(stage, 'settlements')}")
        with scene() as made:
            figures = STAGES[stage](made, rows, options.repeats)
        result = {
            "stage": stage,
            "settlements": rows,
            "machine": machine(),
            "figures": [figure.as_dict() for figure in figures],
        }
        path = RESULTS / f"{stage}-{rows}.json"
        path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    report.write()


if __name__ == "__main__":
    main()
