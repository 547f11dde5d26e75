"""The closed list of DAG tags; a test refuses any other."""

CYCLES = ("cycle/on_event", "cycle/daily", "cycle/weekly", "cycle/monthly", "cycle/quarterly", "cycle/yearly")
STAGES = ("stage/intake", "stage/payment", "stage/booking", "stage/review", "stage/clearing", "stage/care")
