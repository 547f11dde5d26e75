"""From proposed lines to posted, balanced, sealed and proven entries; the limit is one INSERT … SELECT of the lines.

A day of a city proposes a few ten thousand lines whatever its settlements, because entries stand for an institution,
a fund and a day. Here there is one event for every ten settlements, far more than that, so that fixed costs vanish.
"""

import psycopg

from benchmarks.measure import Figure, clock, measure
from benchmarks.scene import AREA, BUSINESS_DATE, Scene

RELATION = "entries.entry_accrued"
SETTLEMENTS_PER_EVENT = 10
OFFER = f"""
    create table {RELATION} as
    select
        concat_ws(':', institution, 'accrued', '{AREA}-0001', fund, day) as business_event_id,
        'accrued' as event,
        '{AREA}' as area_code,
        institution as fixmedins_code,
        fund as fund_pay_type,
        day as accounting_date,
        to_char(day, 'YYYY-MM') as settlement_month,
        side,
        case side when 'debit' then 'benefit_expense' else 'payable_institution' end as account,
        amount,
        '{AREA}-0001' as source_id,
        null::text as reverses_event_id
    from (
        select
            'H{AREA}' || lpad((number %% 1000)::text, 5, '0') as institution,
            (array['310100', '390100', '320100', '390200'])[1 + number / 1000 %% 4] as fund,
            date '{BUSINESS_DATE}' - number / 4000 as day,
            (100 + number %% 99991 + 0.25)::numeric(18, 2) as amount
        from generate_series(0, %(events)s - 1) as number
    ) as event
    cross join (values ('debit'), ('credit')) as sides (side)
"""
PLAIN_LINES = "create table public.plain_line (like ledger.entry_line including indexes)"
ONE_STATEMENT = f"""
    insert into public.plain_line (fixmedins_code, business_event_id, line_no, account, side, amount)
    select
        fixmedins_code, business_event_id, case side when 'debit' then 1 else 2 end, account, side, amount
    from {RELATION}
"""


def run(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure posting what ``rows`` settlements could propose at most."""
    events = rows // SETTLEMENTS_PER_EVENT
    offer(events)
    scene.execute(PLAIN_LINES)
    scene.execute(f"analyze {RELATION}")
    scene.keep("offered")

    def restore() -> None:
        scene.put_back("offered")

    pid = scene.server_pid
    lines = 2 * events
    limit = measure(
        "one INSERT … SELECT of the lines", "limit", insert_select, {"dsn": scene.admin_dsn}, rows=lines,
        server_pid=pid, repeats=repeats, prepare=restore,
    )  # fmt: skip
    project = measure(
        "post", "project", post_all, {}, rows=lines, server_pid=pid, repeats=repeats, prepare=restore
    )  # fmt: skip
    return [limit, project]


def offer(events: int) -> None:
    """Propose as many events of two lines, as the transformer would."""
    from settlement.warehouse import connect

    with connect("transformer") as connection:
        connection.execute(OFFER, {"events": events})


def insert_select(dsn: str) -> int:
    """The limit: the same lines into a table with the same primary key; nothing is checked."""
    with psycopg.connect(dsn) as connection, clock:
        count = connection.execute(ONE_STATEMENT).rowcount
        connection.commit()
    return int(count)


def post_all() -> int:
    """The project: post, check, seal and prove, in one transaction."""
    from settlement.ledger.posting import post
    from settlement.warehouse import connect

    with connect("poster") as connection, clock:
        posting = post(connection, RELATION, area_code=AREA, purpose="accrued", posted_by="benchmark")
        connection.commit()
    return posting.line_count
