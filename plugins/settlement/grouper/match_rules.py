"""What each match rule asks of a case, in the words of the seed that the models read as well."""

import csv
from functools import cache

from settlement.warehouse.dbt import project_folder

Asks = dict[str, str | None]


@cache
def match_rules() -> dict[str, Asks]:
    """What each match rule asks of a case, by its name."""
    with (project_folder() / "seeds" / "drg_match_rules.csv").open(encoding="utf-8", newline="") as source:
        return {row["match_rule"]: dict(row) for row in csv.DictReader(source)}


def diagnosis_slots(asks: Asks) -> set[str]:
    """The lists of diagnoses that a match rule reads: 1 is that of the principal or any, 2 that of secondary ones."""
    first = {"1"} if "true" in (asks["principal_diagnosis"], asks["any_diagnosis"]) else set()
    return first | ({"2"} if asks["secondary_diagnosis"] == "true" else set())
