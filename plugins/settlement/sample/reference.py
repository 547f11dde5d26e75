"""The reference batch of a sample: the area, its institutions, accounts, policy, plan, budgets, prices."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from settlement.sample.area import Area
from settlement.sample.clinical import Catalogue
from settlement.sample.pricing import group_standard, inpatient_method, institution_factor
from settlement.sample.summary import SampleRequest

Row = tuple[object, ...]
Table = tuple[Sequence[str], list[Row]]

#: The funds a sample's settlements are paid from (with the personal account).
FUND_TYPES = (
    "310100", "310200", "320100", "330100", "340100", "350100", "370100", "390100", "390200", "510100",
    "610100", "999997",
)  # fmt: skip
#: Share paid the next working day by care class, within the pooled funds of employees and residents.
DAILY_RATES = {"outpatient": "0.700000", "chronic": "0.700000", "inpatient": "0.600000", "pharmacy": "0.800000"}
DEPOSIT_RATE = "0.050000"
#: A generous mean of what one settlement costs a fund, in yuan: the cash plan and the budgets follow from it.
MEAN_FUND_YUAN = Decimal(600)
#: What inpatients cost a pooled fund, in yuan a settlement of any kind: about what a sample's settlements add up to.
MEAN_INPATIENT_FUND_YUAN = {"310100": Decimal(155), "340100": Decimal(1), "390100": Decimal(180), "510100": Decimal(8)}
APPROVAL_THRESHOLD = Decimal("5000000.00")
VALIDITY = ("valid_from", "valid_to")
DOCTORS_AN_INSTITUTION = 20


def reference_tables(request: SampleRequest, area: Area, catalogue: Catalogue) -> dict[str, Table]:
    """Every reference table of the sample as (header, rows), valid from the first day of the year before."""
    valid = (date(request.start.year - 1, 1, 1).isoformat(), "")
    tables = {
        "area": _area(request, area),
        "institution": _institution(area),
        "bank_account": _bank_account(area),
        "fund_account": _fund_account(area),
        "payment_policy": _payment_policy(area),
        "cash_plan": _cash_plan(request, area),
        "catalogue_item": _catalogue_item(catalogue),
    }
    if request.fee_lines:
        tables["practitioner"] = _practitioner(area)
    if request.lists != "none":
        tables["inpatient_method"] = inpatient_method(area)
        tables["institution_factor"] = institution_factor(request, area)
        tables["group_standard"] = group_standard(area)
    if request.budgets or request.lists != "none":
        tables["fund_budget"] = _fund_budget(request, area)
    if request.budgets:
        tables["institution_budget"] = _institution_budget(request, area)
    return {name: ((*header, *VALIDITY), [(*row, *valid) for row in rows]) for name, (header, rows) in tables.items()}


def doctor_code(area_code: str, institution: int, doctor: int) -> str:
    """The practitioner code of an institution's doctor: D, area, serial."""
    return f"D{area_code}{institution * DOCTORS_AN_INSTITUTION + doctor:06d}"


def _area(request: SampleRequest, area: Area) -> Table:
    header = (
        "area_code", "name", "province_code", "fund_sum_includes_account", "reject_limit", "declaration_required",
        "approval_threshold", "point_basis",
    )  # fmt: skip
    row = (
        area.code,
        area.name,
        area.code[:2] + "0000",
        int(request.fund_sum_includes_account),
        f"{request.reject_limit:.6f}",
        int(request.declarations),
        APPROVAL_THRESHOLD,
        "fund",
    )
    return header, [row]


def _institution(area: Area) -> Table:
    header = (
        "fixmedins_code", "name", "area_code", "fixmedins_type", "hosp_lv", "institution_class", "ownership",
        "agreement_status", "agreement_from", "consortium_code",
    )  # fmt: skip
    return header, [
        (
            institution.code,
            institution.name,
            area.code,
            2 if institution.is_pharmacy else 1,
            institution.hospital_level,
            institution.institution_class,
            "private" if institution.is_pharmacy else "public",
            "active",
            "2024-01-01",
            "",
        )
        for institution in area.institutions
    ]


def _bank_account(area: Area) -> Table:
    header = ("fixmedins_code", "account_name", "account_no", "bank_code", "bank_name")
    return header, [
        (
            institution.code,
            institution.name,
            f"62{area.code}{number:08d}",
            f"102{area.code}{number % 1000:03d}",
            "测试银行",
        )
        for number, institution in enumerate(area.institutions, start=1)
    ]


def _fund_account(area: Area) -> Table:
    header = ("area_code", "fund_pay_type", "account_name", "account_no", "bank_code", "bank_name")
    return header, [(area.code, "", f"{area.name}医保基金支出户", f"9{area.code}01", f"102{area.code}000", "测试银行")]


def _payment_policy(area: Area) -> Table:
    header = (
        "area_code", "fixmedins_code", "institution_class", "fund_pay_type", "care_class", "mode", "frequency", "ratio",
        "deposit_rate",
    )  # fmt: skip
    rows: list[Row] = [
        (area.code, "", "", fund, care_class, "daily_ratio", "day", rate, DEPOSIT_RATE)
        for fund in ("310100", "390100")
        for care_class, rate in DAILY_RATES.items()
    ]
    rows.append((area.code, "", "", "310200", "all", "per_claim", "day", "1.000000", "0.000000"))
    return header, rows


def _months(request: SampleRequest) -> list[str]:
    """The months of the sample and the one after: the last day is paid in the next month at times."""
    first = request.business_dates[0].replace(day=1)
    last = request.business_dates[-1].replace(day=1)
    months = [first]
    while months[-1] <= last:
        year, month = divmod(months[-1].year * 12 + months[-1].month, 12)
        months.append(date(year, month + 1, 1))
    return [f"{month:%Y-%m}" for month in months]


def _cash_plan(request: SampleRequest, area: Area) -> Table:
    header = ("area_code", "fund_pay_type", "plan_month", "amount", "reserve_amount")
    amount = request.per_day * 31 * MEAN_FUND_YUAN
    return header, [
        (area.code, fund, month, f"{amount:.2f}", f"{amount / 10:.2f}")
        for month in _months(request)
        for fund in FUND_TYPES
    ]


def _catalogue_item(catalogue: Catalogue) -> Table:
    header = (
        "med_list_codg", "name", "kind", "level", "price_ceiling", "sex", "age_min", "age_max", "hosp_lv_max",
        "inpatient_only", "daily_max_cnt", "days_max", "diagnosis_pattern",
    )  # fmt: skip
    return header, [
        (
            code,
            catalogue.names[item],
            catalogue.charge_types[item],
            catalogue.levels[item],
            f"{catalogue.ceiling_yuan(item):.6f}",
            *("",) * 4,
            0,
            *("",) * 3,
        )
        for item, code in enumerate(catalogue.codes)
    ]


def _practitioner(area: Area) -> Table:
    return ("code", "fixmedins_code", "status", "points"), [
        (doctor_code(area.code, number, doctor), institution.code, "active", 0)
        for number, institution in enumerate(area.institutions)
        for doctor in range(DOCTORS_AN_INSTITUTION)
    ]


def _fund_budget(request: SampleRequest, area: Area) -> Table:
    """An ample budget of a fund for all care; where inpatients have lists, what they are priced from beside it."""
    header = ("area_code", "fund_pay_type", "budget_year", "care_class", "amount", "risk_reserve_rate")
    year = request.start.year
    amount = request.per_day * 366 * MEAN_FUND_YUAN
    rows: list[Row] = [(area.code, fund, year, "all", f"{amount:.2f}", DEPOSIT_RATE) for fund in ("310100", "390100")]
    if request.lists != "none":
        rows += [
            (area.code, fund, year, "inpatient", f"{request.per_day * 366 * mean:.2f}", DEPOSIT_RATE)
            for fund, mean in MEAN_INPATIENT_FUND_YUAN.items()
        ]
    return header, rows


def _institution_budget(request: SampleRequest, area: Area) -> Table:
    """Each institution's budget follows its rank, as the settlements do, and is ample for a year."""
    header = ("fixmedins_code", "fund_pay_type", "budget_year", "amount")
    amount = request.per_day * 366 * MEAN_FUND_YUAN

    def rows() -> Iterator[Row]:
        for number, institution in enumerate(area.institutions):
            rank = number + 1 if number < area.hospital_count else number - area.hospital_count + 1
            for fund in ("310100", "390100"):
                yield institution.code, fund, request.start.year, f"{amount / rank:.2f}"

    return header, list(rows())
