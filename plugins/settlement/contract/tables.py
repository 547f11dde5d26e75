"""Every table a sender may deliver: columns, types, what is required, the key, and what is dropped at loading.

Names are the national platform's own (transactions 2207, 3201, 4101), lower case. One line a column:
``name  type  [id | own-id]  [required]  [default value]  [dropped | person]``.

====================  ==========================================  ================================
type                  as delivered                                in PostgreSQL
====================  ==========================================  ================================
``text n``            up to n characters                          text
``code n``            exactly n letters and digits, upper-cased   text
``code n-m``          n to m of them                              text
``icd n``             up to n, upper-cased except the letter x    text
``money``             at most 16 digits, 2 decimals, yuan         numeric(18,2)
``decimal p,s``       p digits, s of them decimals                numeric(p,s)
``ratio p,s``         a share                                     numeric(9,6)
``int``               whole number                                integer
``flag``              0 or 1                                      smallint
``date``              YYYY-MM-DD                                  date
``timestamp``         YYYY-MM-DD HH:MM:SS, Asia/Shanghai          timestamptz
====================  ==========================================  ================================

``dropped`` columns identify a person and never reach the database; ``person`` becomes ``person_key``.

``id`` marks a text that names one thing and is compared as it stands, as a code is: visible ASCII only, no blank. A
character that nobody sees inside it, or the form that a spreadsheet gives to long numbers (an apostrophe in front,
``="…"``, ``5.3E+18``), would make two things of one. Its case stays as sent. ``own-id`` is the same for a number that
institutions give themselves, which may hold Chinese characters.
"""

from collections.abc import Iterator
from dataclasses import dataclass

POSTGRES_TYPES = {
    "text": "text",
    "code": "text",
    "icd": "text",
    "money": "numeric(18,2)",
    "ratio": "numeric(9,6)",
    "int": "integer",
    "flag": "smallint",
    "date": "date",
    "timestamp": "timestamp with time zone",
}


@dataclass(frozen=True)
class Column:
    """One delivered column. `size` is (n,), (least, most) for codes, or (digits, decimals)."""

    name: str
    kind: str
    size: tuple[int, ...] = ()
    required: bool = False
    default: str | None = None
    is_dropped: bool = False
    is_person: bool = False
    is_id: bool = False
    is_own_id: bool = False

    @property
    def is_identity(self) -> bool:
        """True for what names a person: it may stand in no receipt, log, quarantine row or table."""
        return self.is_dropped or self.is_person

    @property
    def kept_name(self) -> str | None:
        """Name of the database column; None when the value is not kept."""
        if self.is_person:
            return "person_key"
        return None if self.is_dropped else self.name

    @property
    def postgres_type(self) -> str:
        """Type of the database column, spelt as PostgreSQL's catalogue spells it."""
        if self.kind == "decimal":
            return f"numeric({self.size[0]},{self.size[1]})"
        return POSTGRES_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One delivered table.

    `kind` is the batch kind it travels in, `relation` where its accepted rows go, `key` what tells two rows apart,
    `parent` the table that must hold an accepted row with the same `setl_id`.
    """

    name: str
    kind: str
    relation: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    parent: str | None = None

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def is_large(self) -> bool:
        """True for what arrives by the million: its rows go through in slices, never all at once."""
        return self.name in ("settlement", "fee_item")

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns that reach the database, in contract order."""
        return tuple(column for column in self.columns if column.kept_name)


def _columns(lines: str) -> tuple[Column, ...]:
    return tuple(_column(line) for line in lines.strip().splitlines())


def _column(line: str) -> Column:
    name, kind, *words = line.split()
    size: tuple[int, ...] = ()
    if words and words[0][0].isdigit():
        size = tuple(int(number) for number in words.pop(0).replace("-", ",").split(","))
    default = words[words.index("default") + 1] if "default" in words else None
    return Column(
        name,
        kind,
        size,
        required="required" in words,
        default=default,
        is_dropped="dropped" in words,
        is_person="person" in words,
        is_id="id" in words or "own-id" in words,
        is_own_id="own-id" in words,
    )


SETTLEMENT = _columns("""
    setl_id            text 30  id  required
    init_setl_id       text 30  id
    refd_setl_flag     flag         required
    mdtrt_id           text 30  id  required
    fixmedins_code     code 12      required
    psn_no             text 30  id  required person
    psn_name           text 50      dropped
    certno             text 50      dropped
    gend               code 1-6
    brdy               date
    insutype           code 3       required
    psn_type           code 4
    med_type           code 2-6     required
    clr_type           code 1-6     required
    clr_way            code 1-6     required
    insu_admdvs        code 6       required
    mdtrtarea_admvs    code 6       required
    setl_time          timestamp    required
    begndate           date         required
    enddate            date         required
    dise_codg          icd 20
    medfee_sumamt      money        required
    fulamt_ownpay_amt  money        required
    overlmt_selfpay    money        required
    preselfpay_amt     money        required
    inscp_scp_amt      money        required
    act_pay_dedc       money
    pool_prop_selfpay  ratio 5,4
    hifp_pay           money        required
    cvlserv_pay        money        required
    hifes_pay          money        required
    hifmi_pay          money        required
    hifob_pay          money        required
    hifdm_pay          money        default 0
    maf_pay            money        required
    oth_pay            money        required
    fund_pay_sumamt    money        required
    psn_part_amt       money        required
    acct_pay           money        required
    psn_cash_pay       money        required
    acct_mulaid_pay    money        default 0
    hosp_part_amt      money        required
    invono             text 20  own-id
""")

FEE_ITEM = _columns("""
    setl_id              text 30  id  required
    feedetl_sn           text 30  id  required
    med_list_codg        text 50  id  required
    med_list_name        text 200
    medins_list_codg     text 150
    med_chrgitm_type     code 2         required
    chrgitm_lv           code 1-2
    cnt                  decimal 16,4   required
    pric                 decimal 16,6   required
    det_item_fee_sumamt  money          required
    fulamt_ownpay_amt    money          required
    overlmt_amt          money          required
    preselfpay_amt       money          required
    inscp_scp_amt        money          required
    pric_uplmt_amt       decimal 16,6
    selfpay_prop         ratio 5,4
    lmt_used_flag        flag
    fee_ocur_time        timestamp      required
    bilg_dept_codg       text 30
    bilg_dr_codg         code 1-30
    acord_dept_codg      text 30
    acord_dr_codg        code 1-30
    days                 int
    drug_trac_codg       text 20000
""")

SETTLEMENT_LIST = _columns("""
    setl_id             text 30  id  required
    mdtrt_id            text 30  id  required
    fixmedins_code      code 12      required
    psn_no              text 30  id  required person
    psn_name            text 50      dropped
    certno              text 50      dropped
    medcasno            text 40  own-id  required
    gend                code 1-6     required
    brdy                date         required
    age                 decimal 4,1
    nwb_age             int
    nwb_bir_wt          decimal 7,2
    nwb_adm_wt          decimal 7,2
    nwb_adm_type        text 20
    hi_type             code 1-6
    insuplc             text 100
    sp_psn_type         code 1-6
    ipt_med_type        code 1-6     required
    adm_way             code 1-6
    trt_type            text 6
    adm_time            timestamp    required
    dscg_time           timestamp    required
    adm_caty            text 30
    dscg_caty           text 30
    act_ipt_days        int          required
    diag_code_cnt       int
    oprn_oprt_code_cnt  int
    vent_used_dura      text 20
    dscg_way            code 1-6     required
    days_rinp_flag_31   code 1-6
    bill_code           text 50  own-id  required
    bill_no             text 50  own-id  required
    biz_sn              text 50  own-id  required
    setl_begn_date      date         required
    setl_end_date       date         required
    hi_paymtd           code 1-6     required
    hsorg               text 200
    psn_selfpay         money
    psn_ownpay          money
    acct_pay            money
    psn_cashpay         money
    chfpdr_code         code 1-30
    resp_nurs_code      code 1-30
""")

SETTLEMENT_LIST_DIAGNOSIS = _columns("""
    setl_id         text 30  id  required
    seq             int        required
    diag_type       code 1-6
    diag_code       icd 30     required
    diag_name       text 200
    adm_cond_type   code 1-6
    maindiag_flag   flag
""")

SETTLEMENT_LIST_OPERATION = _columns("""
    setl_id             text 30  id  required
    seq                 int        required
    oprn_oprt_type      code 1-6
    oprn_oprt_code      icd 30     required
    oprn_oprt_name      text 500
    oprn_oprt_date      date
    oprn_oprt_begntime  timestamp
    oprn_oprt_endtime   timestamp
    anst_way            code 1-6
    oper_dr_code        code 1-30
    anst_dr_code        code 1-30
""")

SETTLEMENT_LIST_ITEM = _columns("""
    setl_id            text 30  id  required
    med_chrgitm        code 2   required
    amt                money    required
    claa_sumfee        money
    clab_amt           money
    fulamt_ownpay_amt  money
    oth_amt            money
""")

SETTLEMENT_LIST_ICU = _columns("""
    setl_id               text 30  id  required
    scs_cutd_ward_type    code 1-6
    scs_cutd_inpool_time  timestamp
    scs_cutd_exit_time    timestamp
""")

DECLARATION = _columns("""
    fixmedins_code      code 12   required
    insutype            code 3    required
    clr_type            code 1-6  required
    stmt_begndate       date      required
    stmt_enddate        date      required
    medfee_sumamt       money     required
    fund_pay_sumamt     money     required
    acct_pay            money     required
    fixmedins_setl_cnt  int       required
""")

REVIEW = _columns("""
    finding_id  text 200  id  required
    decision    text 20    required
    amount      money
    decided_by  text 100   required
    decided_at  timestamp  required
    reason      text 500
    stage       text 20    required
""")

CASE_REVIEW = _columns("""
    setl_id     text 30  id  required
    decision    text 30       required
    points      decimal 18,4
    decided_on  date          required
    panel       text 200
""")

CLEARING_BILL = _columns("""
    bill_id         text 64  id  required
    bill_month      text 7    required
    insu_province   code 6    required
    treat_province  code 6    required
    fund_pay_type   code 6    required
    amount          money     required
    cases           int       required
    direction       text 20   required
    issued_on       date      required
""")

BANK_RECEIPT = _columns("""
    message_format       text 10   required
    message_id           text 35
    original_message_id  text 35
    account_no           text 34
    entry_reference      text 35
    servicer_reference   text 35
    end_to_end_id        text 35
    status               text 35
    reason_code          text 35
    reason_text          text 500
    side                 text 6
    amount               money
    currency             text 3
    booking_date         date
""")

# Reference tables: every row also has valid_from and valid_to (added below).
REFERENCE = {
    "area": ("area_code", """
        area_code                  code 6      required
        name                       text 100    required
        province_code              code 6      required
        fund_sum_includes_account  flag        required
        reject_limit               ratio 9,6
        declaration_required       flag        required
        approval_threshold         money       required
        point_basis                text 20
        diag_type_dictionary       text 20
        fee_sum_tolerance          money
    """),
    "institution": ("fixmedins_code", """
        fixmedins_code     code 12    required
        name               text 200   required
        area_code          code 6     required
        fixmedins_type     code 1-2   required
        hosp_lv            code 1-6
        institution_class  code 1
        ownership          text 30
        agreement_status   text 20    required
        agreement_from     date
        consortium_code    text 30
    """),
    "bank_account": ("fixmedins_code", """
        fixmedins_code  code 12    required
        account_name    text 140   required
        account_no      text 34  id  required
        bank_code       code 12    required
        bank_name       text 200
    """),
    "fund_account": ("area_code fund_pay_type", """
        area_code      code 6     required
        fund_pay_type  code 6
        account_name   text 140   required
        account_no     text 34  id  required
        bank_code      code 12    required
        bank_name      text 200
    """),
    "payment_policy": ("area_code fixmedins_code institution_class fund_pay_type care_class", """
        area_code          code 6      required
        fixmedins_code     code 12
        institution_class  code 1
        fund_pay_type      code 6
        care_class         text 20     required
        mode               text 20     required
        frequency          text 20
        ratio              ratio 9,6
        deposit_rate       ratio 9,6
    """),
    "inpatient_method": ("area_code fixmedins_code insutype", """
        area_code       code 6    required
        fixmedins_code  code 12
        insutype        code 3
        method          text 30   required
        scheme_code     text 64
    """),
    "fund_budget": ("area_code fund_pay_type budget_year care_class", """
        area_code          code 6     required
        fund_pay_type      code 6     required
        budget_year        int        required
        care_class         text 20    required
        amount             money      required
        risk_reserve_rate  ratio 9,6
    """),
    "institution_budget": ("fixmedins_code fund_pay_type budget_year", """
        fixmedins_code  code 12   required
        fund_pay_type   code 6    required
        budget_year     int       required
        amount          money     required
    """),
    "risk_rule": ("area_code rule_code", """
        area_code  code 6          required
        rule_code  code 2          required
        threshold  decimal 18,6
        action     text 20         required
    """),
    "cash_plan": ("area_code fund_pay_type plan_month", """
        area_code       code 6   required
        fund_pay_type   code 6   required
        plan_month      text 7   required
        amount          money    required
        reserve_amount  money
    """),
    "institution_factor": ("fixmedins_code scheme_code budget_year", """
        fixmedins_code     code 12        required
        scheme_code        text 64        required
        budget_year        int            required
        grade_coefficient  decimal 9,6
        assessment_score   decimal 7,4
    """),
    "prepayment_grant": ("grant_id", """
        grant_id        text 64  id  required
        fixmedins_code  code 12   required
        fund_pay_type   code 6    required
        granted_on      date      required
        amount          money     required
        recover_by      date
    """),
    "procurement_payable": ("payable_id", """
        payable_id      text 64  id  required
        fixmedins_code  code 12    required
        supplier_code   text 50    required
        supplier_name   text 200   required
        bank_code       code 12
        account_no      text 34  id
        invoice_no      text 50
        amount          money      required
        due_date        date       required
    """),
    "practitioner": ("code", """
        code            code 1-30      required
        fixmedins_code  code 12        required
        name            text 50        dropped
        status          text 20        required
        points          decimal 9,2
    """),
    "catalogue_item": ("med_list_codg", """
        med_list_codg      text 50  id  required
        name               text 200       required
        kind               text 30
        level              text 10
        price_ceiling      decimal 16,6
        sex                code 1
        age_min            decimal 5,1
        age_max            decimal 5,1
        hosp_lv_max        code 1-6
        inpatient_only     flag
        daily_max_cnt      decimal 16,4
        days_max           int
        diagnosis_pattern  text 500
    """),
    "trace_exempt": ("med_list_codg", """
        med_list_codg  text 50  id  required
    """),
    "consortium": ("consortium_code fixmedins_code", """
        consortium_code  text 30    required
        fixmedins_code   code 12    required
        is_lead          flag       required
        share_weight     decimal 18,6
    """),
    "case_review_request": ("setl_id", """
        setl_id     text 30  id  required
        reason      text 40   required
        applied_on  date      required
    """),
    "group_standard": ("area_code scheme_code group_code hosp_lv", """
        area_code     code 6         required
        scheme_code   text 64        required
        group_code    text 80        required
        hosp_lv       code 1-6
        weight        decimal 18,4
        mean_cost     money
        is_basic      flag           default 0
        priced_as     text 80
        min_tcm_rate  ratio 9,6
        document      text 200       required
    """),
    "group_history": ("area_code scheme_code group_code cost_year", """
        area_code    code 6     required
        scheme_code  text 64    required
        group_code   text 80    required
        cost_year    int        required
        cases        int        required
        mean_cost    money      required
        document     text 200   required
    """),
    "pricing_parameter": ("area_code scheme_code parameter", """
        area_code    code 6     required
        scheme_code  text 64
        parameter    text 40    required
        value        text 50    required
        document     text 200   required
    """),
    "bed_day_rate": ("area_code fixmedins_code hosp_lv from_day", """
        area_code       code 6      required
        fixmedins_code  code 12
        hosp_lv         code 1-6
        from_day        int         required
        day_amount      money       required
        fund_rate       ratio 9,6   required
        document        text 200    required
    """),
    "capitation_contract": ("area_code fixmedins_code fund_pay_type budget_year age_band", """
        area_code          code 6         required
        fixmedins_code     code 12        required
        fund_pay_type      code 6         required
        budget_year        int            required
        age_band           text 20
        heads              int            required
        head_amount        money          required
        risk_weight        decimal 10,4   required
        paid_monthly_rate  ratio 9,6      required
        document           text 200       required
    """),
}  # fmt: skip

VALIDITY = _columns("""
    valid_from  date  required
    valid_to    date
""")

LIST_CHILDREN = (
    "settlement_list_diagnosis",
    "settlement_list_operation",
    "settlement_list_item",
    "settlement_list_icu",
)
SECTIONS = dict(zip(("diseinfo", "oprninfo", "iteminfo", "icuinfo"), LIST_CHILDREN, strict=True))
"""Parts of a 4101 document that become rows; `payinfo` and `opspdiseinfo` are not kept."""


def _all_tables() -> Iterator[Table]:
    """Yield every table, parents before children."""
    settlement = "settlement"
    yield Table("settlement", settlement, "raw.settlement", ("setl_id",), SETTLEMENT)
    yield Table("fee_item", settlement, "raw.fee_item", ("setl_id", "feedetl_sn"), FEE_ITEM, "settlement")
    yield Table("settlement_list", settlement, "raw.settlement_list", ("setl_id",), SETTLEMENT_LIST, "settlement")
    children = (
        (SETTLEMENT_LIST_DIAGNOSIS, ("setl_id", "seq")),
        (SETTLEMENT_LIST_OPERATION, ("setl_id", "seq")),
        (SETTLEMENT_LIST_ITEM, ("setl_id", "med_chrgitm")),
        (SETTLEMENT_LIST_ICU, ("setl_id", "scs_cutd_ward_type", "scs_cutd_inpool_time")),
    )
    for name, (columns, key) in zip(LIST_CHILDREN, children, strict=True):
        yield Table(name, settlement, f"raw.{name}", key, columns, "settlement_list")
    declared = ("fixmedins_code", "insutype", "clr_type", "stmt_begndate", "stmt_enddate")
    yield Table("declaration", "declaration", "raw.declaration", declared, DECLARATION)
    yield Table("review", "review", "raw.review_decision", ("finding_id", "stage", "decided_at"), REVIEW)
    yield Table("case_review", "case_review", "raw.case_review", ("setl_id", "decided_on"), CASE_REVIEW)
    yield Table("clearing_bill", "clearing_bill", "raw.clearing_bill", ("bill_id",), CLEARING_BILL)
    yield Table("bank_receipt", "bank_receipt", "raw.bank_transaction", ("row_hash",), BANK_RECEIPT)
    for name, (key_text, lines) in REFERENCE.items():
        key = (*key_text.split(), "valid_from")
        yield Table(name, "reference", f"reference.{name}", key, _columns(lines) + VALIDITY)


TABLES: dict[str, Table] = {table.name: table for table in _all_tables()}

MASTER_DATA = frozenset(
    (
        *("area", "institution", "bank_account", "fund_account", "payment_policy", "inpatient_method", "cash_plan"),
        *("prepayment_grant", "procurement_payable", "fund_budget", "institution_budget", "risk_rule"),
        *("institution_factor", "group_standard", "pricing_parameter", "bed_day_rate", "capitation_contract"),
        *("catalogue_item", "trace_exempt"),
    )
)
"""Reference tables that decide how much is paid and to which account: a second person looks at them (主数据复核)."""


def tables_of(kind: str) -> tuple[Table, ...]:
    """Tables that may travel in a batch of this kind, parents first."""
    return tuple(table for table in TABLES.values() if table.kind == kind)
