"""What a DRG scheme leaves unsaid, where it can mean one thing only."""

from collections import defaultdict

from settlement.grouper.match_rules import diagnosis_slots, match_rules

Row = dict[str, str | None]


def complete(rows: dict[str, list[Row]]) -> list[str]:
    """Say in the rows themselves what they mean, and tell what was said so."""
    return [*_name_gates(rows), *_name_secondary_lists(rows)]


def _name_gates(rows: dict[str, list[Row]]) -> list[str]:
    """Operations of a category that a diagnosis opens: either opens it."""
    with_operations = {row["mdc"] for row in rows["mdc_op"]}
    opened = [row for row in rows["mdc"] if row["gate"] == "DX1" and row["mdc"] in with_operations]
    for row in opened:
        row["gate"] = "DX1_OR_OPANY"
    return [
        f"{row['mdc']}: has operations in mdc_op, so gate DX1 is read as DX1_OR_OPANY (诊断或手术可入)"
        for row in opened
    ]


def _name_secondary_lists(rows: dict[str, list[Row]]) -> list[str]:
    """The only list of a rule that reads secondary diagnoses alone: it is that of secondary diagnoses."""
    told = []
    for file, columns in (("adrg", ("rule_id",)), ("drg", ("rule_id", "drg_code"))):
        lists: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
        for row in rows[f"{file}_dx"]:
            lists[tuple(row[name] for name in columns)].append(row)
        for rule in rows[file]:
            own = lists[tuple(rule[name] for name in columns)]
            asks = match_rules().get(str(rule["match_rule"]))
            if own and asks and diagnosis_slots(asks) == {"2"} and {row["slot"] for row in own} == {"1"}:
                for row in own:
                    row["slot"] = "2"
                told.append(str(rule[columns[-1]]))
    if not told:
        return []
    return [
        f"{', '.join(told[:3])}: {len(told)} list(s) of secondary diagnoses stand in slot 1 (次要诊断表按表 2 读取)"
    ]
