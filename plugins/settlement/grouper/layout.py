"""The files of a grouping scheme: one CSV a table, UTF-8, with a header; columns beyond these are ignored."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["drg", "dip"]


@dataclass(frozen=True)
class Column:
    """A column of a file. `target` is its name in the warehouse; a column with a `default` need not be there.

    Whole numbers lie from `least`, where there is one, to `most`.
    """

    name: str
    type: Literal["text", "integer", "number", "boolean"] = "text"
    target: str = ""
    required: bool = True
    default: str | None = None
    least: int | None = None
    most: int = 2_147_483_647

    @property
    def stored_as(self) -> str:
        """The column of the warehouse table."""
        return self.target or self.name


@dataclass(frozen=True)
class SchemeFile:
    """A file of a scheme and the table of schema `grouper` it fills; `constants` are columns it does not carry."""

    name: str
    table: str
    columns: tuple[Column, ...]
    constants: tuple[tuple[str, str], ...] = ()
    optional: bool = False


def _columns(*columns: Column | str) -> tuple[Column, ...]:
    return tuple(Column(column) if isinstance(column, str) else column for column in columns)


RULE = Column("adrg", target="rule_id")
GROUP = Column("drg", target="drg_code")
DIAGNOSIS_SLOT = Column("slot", "integer", default="1", least=1, most=2)
OPERATION_SLOT = Column("slot", "integer", default="1", least=1, most=8)
# Completed years and days of stay: from the one, below the other.
AGE_AND_STAY = tuple(
    Column(name, "integer", required=False, default="", least=0)
    for name in ("age_min", "age_max_excl", "los_min", "los_max_excl")
)
EXCLUSION_TABLE = Column("exclusion_table_id", required=False)

DRG_FILES = (
    SchemeFile(
        "mdc",
        "drg_mdc",
        _columns(
            Column("eval_order", "integer"),
            "mdc",
            "gate",
            Column("sex", required=False),
            Column("infant_only", "boolean"),
            Column("qy_mode", default="OFF"),
            Column("op_retry", "boolean", default="f"),
        ),
    ),
    SchemeFile("mdc_dx", "drg_mdc_diagnosis", _columns("mdc", Column("site", required=False), "dx_code")),
    SchemeFile("mdc_op", "drg_mdc_operation", _columns("mdc", "op_code"), optional=True),
    SchemeFile(
        "adrg",
        "drg_rule",
        _columns(
            "mdc",
            Column("mdc_order", "integer", required=False),
            Column("adrg_order", "integer"),
            RULE,
            "match_rule",
            Column("age_days_max", "integer", required=False, default="", least=0),
            *AGE_AND_STAY,
            Column("weight_min", "integer", required=False, default="", least=0),
            Column("weight_max_excl", "integer", required=False, default="", least=0),
        ),
    ),
    SchemeFile("adrg_dx", "drg_rule_diagnosis", _columns(RULE, DIAGNOSIS_SLOT, "dx_code")),
    SchemeFile("adrg_op", "drg_rule_operation", _columns(RULE, OPERATION_SLOT, "op_code")),
    SchemeFile(
        "drg",
        "drg_group",
        _columns(
            RULE,
            Column("drg_order", "integer"),
            GROUP,
            "severity_rule",
            *AGE_AND_STAY,
            Column("match_rule", required=False, default=""),
            Column("name", required=False, default=""),
        ),
    ),
    SchemeFile("drg_dx", "drg_group_diagnosis", _columns(RULE, GROUP, DIAGNOSIS_SLOT, "dx_code"), optional=True),
    SchemeFile("drg_op", "drg_group_operation", _columns(RULE, GROUP, OPERATION_SLOT, "op_code"), optional=True),
    SchemeFile("mcc", "drg_comorbidity", _columns("dx_code", EXCLUSION_TABLE), (("level", "MCC"),)),
    SchemeFile("cc", "drg_comorbidity", _columns("dx_code", EXCLUSION_TABLE), (("level", "CC"),)),
    SchemeFile("cce", "drg_exclusion", _columns("dx_code", Column("exclusion_table_id"))),
    SchemeFile("op_valid", "drg_valid_operation", _columns("op_code", Column("name", required=False, default=""))),
)

DIP_FILES = (
    SchemeFile(
        "dip_catalog",
        "dip_group",
        _columns(
            "group_id",
            "group_type",
            "stage",
            "dx",
            Column("main_op_or_property", required=False),
            Column("related_op_or_weight", required=False),
            Column("score", "number", required=False),
            Column("is_basic", "boolean", default="f"),
            Column("name", required=False, default=""),
        ),
    ),
    SchemeFile("op_property", "dip_operation_property", _columns("op_code", "property")),
    SchemeFile("exclusions", "dip_exclusion", _columns("kind", "code"), optional=True),
    SchemeFile(
        "auxiliary_types",
        "dip_auxiliary_type",
        _columns("group_id", "dimension", "type_code", Column("coefficient", "number")),
        optional=True,
    ),
    SchemeFile(
        "cci",
        "dip_comorbidity_weight",
        _columns(Column("dx_code", target="dx_key"), Column("weight", "integer", least=1)),
        optional=True,
    ),
    SchemeFile(
        "severity_diagnoses",
        "dip_severity_diagnosis",
        _columns(Column("dx_code", target="dx_key"), "severity"),
        optional=True,
    ),
)

FILES: dict[Kind, tuple[SchemeFile, ...]] = {"drg": DRG_FILES, "dip": DIP_FILES}
