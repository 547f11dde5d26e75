"""A whole day: settlements with fee lines and lists from their files to published marts, without Airflow's waits.

Every step runs in a process of its own, as a task does, start-up and imports included. The limit is what the least
possible work takes: copying the files raw, one SQL pass over the rules, and one aggregation into entry lines.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import psycopg

from benchmarks.gate import copy_files
from benchmarks.history import write_history
from benchmarks.measure import Cost, Figure, measure
from benchmarks.scene import AREA, PAY_DATE, Scene, deliver_day, raw_copies
from benchmarks.suite import one_statement

FIRST_PAY_DATE, NEXT_PAY_DATE = PAY_DATE.isoformat(), (PAY_DATE + timedelta(days=1)).isoformat()
HISTORY_DAYS = 360
AGGREGATE = """
    create table public.accrued_line as
    select fixmedins_code, fund, business_date, side, sum(amount) as amount
    from raw.settlement
    cross join lateral (values
        ('310100', hifp_pay), ('320100', cvlserv_pay), ('370100', hifes_pay), ('390200', hifmi_pay),
        ('330100', hifob_pay), ('350100', hifdm_pay), ('610100', maf_pay), ('999997', oth_pay), ('310200', acct_pay)
    ) as funds (fund, amount)
    cross join (values ('debit'), ('credit')) as sides (side)
    where amount <> 0
    group by fixmedins_code, fund, business_date, side
"""


def run(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure one day of ``rows`` settlements once; it is long enough to be its own median."""
    _prepare_models(scene)
    summary = deliver_day(scene, rows, fee_lines=True, lists=True)
    reference, day = summary.batch_ids
    one = partial(measure, rows=rows, server_pid=scene.server_pid)
    one("receive the reference data", "prepare", receive, {"batch_id": reference})
    scene.execute("analyze")

    steps = _measure_steps(one, day, FIRST_PAY_DATE)
    scene.execute("truncate intake.expectation_run cascade")  # so that the rows wait to be judged once more
    copies = raw_copies(scene, day)
    limits = [
        one("raw copy of the files", "part", copy_files, {"psql": str(scene.psql), "dsn": scene.admin_dsn,
                                                         "copies": copies}),
        one("the rules in one statement", "part", one_statement, {"dsn": scene.admin_dsn}),
        one("one aggregation into lines", "part", aggregate, {"dsn": scene.admin_dsn}),
    ]  # fmt: skip
    return [
        total("sum of the limits", "limit", limits, rows),
        total("the day, all steps", "project", steps, rows),
        *steps,
        *limits,
    ]


def run_empty(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure a pay date on which nothing arrived: what starting up costs."""
    _prepare_models(scene)
    steps = _measure_steps(partial(measure, rows=1, server_pid=scene.server_pid), None, FIRST_PAY_DATE)
    return [total("an empty day, all steps", "project", steps, 1), *steps]


def run_after_a_year(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure the second day of an installation, and the same day after a year of days like the first."""
    _prepare_models(scene)
    reference, first, second, *_ = deliver_day(scene, rows, fee_lines=True, lists=True, days=2).batch_ids
    one = partial(measure, rows=rows, server_pid=scene.server_pid)
    one("receive the reference data", "prepare", receive, {"batch_id": reference})
    scene.execute("analyze")
    _measure_steps(one, first, FIRST_PAY_DATE, role="prepare")
    scene.keep("first_day")

    days = []
    for name, role, history_days in (("without history", "limit", 0), ("after a year", "project", HISTORY_DAYS)):
        scene.put_back("first_day")
        write_history(scene, history_days)
        # What parses the project anew, and settles the versions of the copied days, is no part of the day.
        one("propose once more", "prepare", build, {"select": "tag:proposal", "pay_date": FIRST_PAY_DATE})
        steps = _measure_steps(one, second, NEXT_PAY_DATE, suffix=f", {name}")
        days.append([total(f"the day, {name}", role, steps, rows), *steps])
    return [figure for day in days for figure in day]


def _measure_steps(
    one: Callable[..., Figure], batch_id: str | None, pay_date: str, *, role: str = "step", suffix: str = ""
) -> list[Figure]:
    """Every step of a day in its order, each in a process of its own; without a batch nothing arrives."""
    steps: list[tuple[str, Callable[..., Any], dict[str, str]]] = [
        ("reconcile", build, {"select": "tag:reconciliation"}),
        ("check expectations", validate, {}),
        ("propose entries and payments", build, {"select": "tag:proposal", "pay_date": pay_date}),
        ("post entries", post, {}),
        ("request, approve and disburse", pay, {"pay_date": pay_date}),
        ("publish", build, {"select": "tag:publication", "pay_date": pay_date}),
    ]
    if batch_id is not None:
        steps.insert(0, ("receive the batch", receive, {"batch_id": batch_id}))
    return [one(name + suffix, role, step, arguments) for name, step, arguments in steps]


def total(name: str, role: str, figures: list[Figure], rows: int) -> Figure:
    """The steps one after another: times add up, the highest memory counts."""
    costs = [figure.cost for figure in figures]
    return Figure(
        name,
        role,
        rows,
        1,
        Cost(
            wall_seconds=sum(cost.wall_seconds for cost in costs),
            client_cpu_seconds=sum(cost.client_cpu_seconds for cost in costs),
            server_cpu_seconds=sum(cost.server_cpu_seconds for cost in costs),
            client_peak_mb=max(cost.client_peak_mb for cost in costs),
            server_peak_mb=max(cost.server_peak_mb for cost in costs),
        ),
    )


def _prepare_models(scene: Scene) -> None:
    """Create every model once, as the first start of an installation does; not part of a day."""
    from settlement.warehouse import dbt

    dbt.prepare()


def receive(batch_id: str) -> dict[str, int]:
    """Load and judge a batch."""
    from settlement.intake import receive as receive_batch

    receipt = receive_batch(batch_id)
    if receipt.status != "accepted":
        raise RuntimeError(f"{batch_id} was {receipt.status}: {receipt.error}")
    return {file["table"]: file["accepted"] for file in receipt.files}


def build(select: str, pay_date: str = "") -> int:
    """One dbt stage."""
    from settlement.warehouse import dbt

    return dbt.build(select, {"pay_date": pay_date, "area_code": AREA}).node_count


def validate() -> dict[str, int]:
    """Great Expectations over what was accepted since the last run."""
    from settlement.gate.expectations import validate_accepted

    checked = validate_accepted(started_by="benchmark")
    return {"rows": checked.row_count, "rules": checked.rule_count}


def post() -> dict[str, int]:
    """Post what is proposed."""
    from settlement.ledger.proposals import post_proposed_entries

    return post_proposed_entries(area_code=AREA, posted_by="benchmark")


def pay(pay_date: str) -> dict[str, int]:
    """Request what is due, approve what a rule could not, instruct, and write the bank files."""
    from settlement.payments.approval import decide_request
    from settlement.payments.instructions import disburse_approved
    from settlement.payments.requests import request_payments

    day = date.fromisoformat(pay_date)
    requests = request_payments(pay_date=day, area_code=AREA, triggered_by="benchmark")
    for request in requests:
        if request.needs_a_person:
            decide_request(request.request_id, decision="approved", decided_by="another", reason="benchmark")
    disbursed = disburse_approved(pay_date=day, area_code=AREA, posted_by="benchmark")
    return {"requests": len(requests), "disbursed": len(disbursed)}


def aggregate(dsn: str) -> int:
    """The least that accruing can be: one aggregation of the day's rows."""
    with psycopg.connect(dsn) as connection:
        count = connection.execute(AGGREGATE).rowcount
        connection.commit()
    return int(count)
