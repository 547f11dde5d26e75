"""`python -m benchmarks.report`: write the tables of docs/performance.md from the newest results."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

#: What each stage promises beside its limit: the figure compared, and the most the ratio may be.
GOALS: dict[str, dict[str, float]] = {
    "gate": {"cpu_seconds": 2.3, "wall_seconds": 1.5},
    "suite": {"cpu_seconds": 1.5},
    "posting": {"cpu_seconds": 1.5},
    "day": {"cpu_seconds": 2.0},
    "day_after_a_year": {"cpu_seconds": 1.1},
}
WALL_GOALS_SECONDS = {"day": 600.0, "empty_day_in_airflow": 60.0, "dip_grouping": 120.0}
#: Tasks of all runs.
TASK_GOALS = {"empty_day_in_airflow": 25}
#: Rows a second beyond what the same stage takes for no rows at all.
RATE_GOALS = {"drg_grouping": 30_000}
UNITS = {"drg_grouping": "cases", "dip_grouping": "cases"}
MEMORY_GOALS_MB = {"gate": 600.0, "day": 4000.0}
FEWEST_ROWS_TO_SCALE = 1_000
WORDS = {"cpu_seconds": "CPU", "wall_seconds": "wall"}


def write() -> None:
    """Replace the part of the page between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    sections = [_section(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]
    PAGE.write_text("\n".join([before + BEGIN, *sections, END + after]), encoding="utf-8")


def _section(result: dict[str, Any]) -> str:
    machine = result["machine"]
    lines = [
        f"\n### {result['stage']}, {result['settlements']:,} {UNITS.get(result['stage'], 'settlements')}\n",
        "| way | role | rows | wall s | client CPU-s | server CPU-s | CPU-s | CPU-s per 1M | client MB | server MB |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(figure) for figure in result["figures"]),
        "",
        *_verdicts(result),
        f"\n{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, Python {machine['python']}; "
        f"median of {max(figure['repeats'] for figure in result['figures'])}.",
    ]
    return "\n".join(lines)


def _row(figure: dict[str, Any]) -> str:
    scaled = figure["rows"] >= FEWEST_ROWS_TO_SCALE
    per_million = f"{figure['cpu_seconds'] / figure['rows'] * 1_000_000:.1f}" if scaled else "—"
    # Older results know nothing of the server's memory.
    server_peak = f"{figure['server_peak_mb']:.0f}" if "server_peak_mb" in figure else "—"
    return (
        f"| {figure['name']} | {figure['role']} | {figure['rows']:,} | {figure['wall_seconds']:.1f} "
        f"| {figure['client_cpu_seconds']:.1f} | {figure['server_cpu_seconds']:.1f} | {figure['cpu_seconds']:.1f} "
        f"| {per_million} | {figure['client_peak_mb']:.0f} | {server_peak} |"
    )


def _verdicts(result: dict[str, Any]) -> list[str]:
    """One line a goal: the ratio of the project's figure to the limit, and whether it is within."""
    stage = result["stage"]
    by_role = {figure["role"]: figure for figure in reversed(result["figures"])}
    if "project" not in by_role:
        return []
    lines = []
    if most := WALL_GOALS_SECONDS.get(stage):
        wall = by_role["project"]["wall_seconds"]
        lines.append(f"- wall: {wall:.0f} s (goal ≤ {most:.0f} s) {_mark(wall <= most)}")
    if most_tasks := TASK_GOALS.get(stage):
        tasks = by_role["project"]["outcome"]["tasks"]
        lines.append(f"- tasks: {tasks} (goal ≤ {most_tasks}) {_mark(tasks <= most_tasks)}")
    if least := RATE_GOALS.get(stage):
        seconds = by_role["project"]["wall_seconds"] - by_role["cost"]["wall_seconds"]
        rate = by_role["project"]["rows"] / seconds
        lines.append(f"- rate: {rate:,.0f} a second beyond the start (goal ≥ {least:,}) {_mark(rate >= least)}")
    for measure, goal in GOALS.get(stage, {}).items():
        ratio = by_role["project"][measure] / by_role["limit"][measure]
        lines.append(f"- {WORDS[measure]}: {ratio:.2f} × the limit (goal ≤ {goal} ×) {_mark(ratio <= goal)}")
    if most := MEMORY_GOALS_MB.get(stage):
        peak = by_role["project"]["client_peak_mb"]
        lines.append(f"- memory: {peak:.0f} MB (goal ≤ {most:.0f} MB) {_mark(peak <= most)}")
    return lines


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"


if __name__ == "__main__":
    write()
