"""What prices the inpatients of a sample: the method, coefficients of hospitals, and standards of the groups.

The groups are those of ``examples/schemes/small_drg``, to be imported under the version that is named here.
"""

from collections.abc import Mapping
from decimal import Decimal

from settlement.sample.area import Area
from settlement.sample.summary import SampleRequest

SCHEME = "small_drg"
DOCUMENT = "测试〔2025〕1号"
#: Mean cost of all cases in yuan: that of a group is its weight times as much.
MEAN_COST = Decimal(8000)
ALL_CASES = "*"
GROUP_WEIGHTS: Mapping[str, Decimal] = {
    group: Decimal(weight)
    for group, weight in (
        (ALL_CASES, "1.0000"), ("AB19", "9.8000"), ("BR23", "1.0500"), ("BR25", "0.8200"), ("CB39", "0.6200"),
        ("EB19", "3.1000"), ("ES11", "1.5200"), ("ES13", "0.8600"), ("ES15", "0.6400"), ("ET13", "0.9800"),
        ("ET15", "0.7400"), ("GD23", "1.1200"), ("GD25", "0.9400"), ("HC21", "2.1000"), ("HC23", "1.5200"),
        ("HC25", "1.2800"), ("HU19", "0.7200"), ("NA11", "2.3500"), ("NA15", "1.8500"), ("NC19", "0.7800"),
        ("NZ19", "0.4600"), ("OB13", "1.0200"), ("OB15", "0.8400"), ("PS19", "6.5000"), ("PS29", "2.8000"),
        ("PV19", "0.6200"), ("ZZ19", "3.4000"),
    )
}  # fmt: skip
#: By hospital level.
GRADE_COEFFICIENTS = {"02": "1.100000", "05": "1.000000", "08": "0.900000", "09": "0.900000"}
ASSESSMENT_SCORE = "95.0000"

Rows = list[tuple[object, ...]]


def inpatient_method(area: Area) -> tuple[tuple[str, ...], Rows]:
    """Inpatients of every institution and insurance type are paid by DRG."""
    header = ("area_code", "fixmedins_code", "insutype", "method", "scheme_code")
    return header, [(area.code, "", "", "drg", SCHEME)]


def institution_factor(request: SampleRequest, area: Area) -> tuple[tuple[str, ...], Rows]:
    """The coefficient of a hospital follows its level."""
    header = ("fixmedins_code", "scheme_code", "budget_year", "grade_coefficient", "assessment_score")
    return header, [
        (institution.code, SCHEME, year, GRADE_COEFFICIENTS[institution.hospital_level], ASSESSMENT_SCORE)
        for institution in area.institutions
        if not institution.is_pharmacy
        for year in sorted({day.year for day in request.business_dates})
    ]


def group_standard(area: Area) -> tuple[tuple[str, ...], Rows]:
    """Weight and mean cost of every group, the same at every level."""
    header = (
        "area_code", "scheme_code", "group_code", "hosp_lv", "weight", "mean_cost", "is_basic", "priced_as",
        "min_tcm_rate", "document",
    )  # fmt: skip
    return header, [
        (area.code, SCHEME, group, "", weight, f"{weight * MEAN_COST:.2f}", 0, "", "", DOCUMENT)
        for group, weight in GROUP_WEIGHTS.items()
    ]
