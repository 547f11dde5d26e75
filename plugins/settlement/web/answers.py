"""What the calls answer, as the OpenAPI document shows it. Amounts are text in yuan: JSON numbers would be floats."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable; `detail` and `hint` are for people and may change."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    hint: str | None = None


class Counts(BaseModel):
    """Rows of all files of a batch; `read` is the sum of the other four."""

    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    repeated: int = 0
    pending: int = 0


class Links(BaseModel):
    """Where to go from a batch, as paths on this server."""

    self: str
    run: str = Field(
        description="The receiving run on Airflow's own API, for those who may open that; others: `/v1/runs`."
    )
    rejected: str | None = Field(None, description="Refused rows as CSV, where there are any.")


class Batch(BaseModel):
    """A batch and what became of it."""

    batch_id: str
    state: Literal["delivered", "accepted", "held", "refused"] = Field(
        description="`delivered`: in the inbox, not judged yet. `held`: waits for a person."
    )
    is_stopped: bool = Field(False, description="Accepted, but a later check keeps it from being paid.")
    kind: str | None = None
    area_code: str | None = None
    business_date: date | None = None
    received_at: datetime | None = None
    counts: Counts = Counts()
    reasons: dict[str, int] = Field(default_factory=dict, description="Refused rows by reason code.")
    error: dict[str, str] | None = Field(None, description="Why the whole batch was refused: code and message.")
    receipt: dict[str, Any] | None = None
    links: Links


class Run(BaseModel):
    """A run that a call started or found."""

    dag_id: str
    dag_run_id: str
    state: str


class FollowedRun(Run):
    """A run with what it was started for, and what it says of its outcome."""

    conf: dict[str, Any]
    note: str | None = Field(None, description="The outcome in words, once there is one.")
    started_by: str
    is_new: bool = Field(False, description="True in the answer of the call that started it.")


class Delivery(BaseModel):
    """The answer to a delivered batch."""

    batch_id: str
    is_new: bool = Field(description="False where the batch was delivered and started before: nothing changed.")
    run: Run
    links: Links


class Payment(BaseModel):
    """A payment instruction to an institution and its state."""

    instruction_id: str
    request_id: str
    area_code: str
    pay_date: date
    purpose: str
    fixmedins_code: str
    fund_pay_type: str
    settlement_month: str
    amount: str
    status: str
    replaces_instruction_id: str | None = None


class PaymentPage(BaseModel):
    """Some payments; `next_cursor` leads to those after them and is null on the last page."""

    payments: list[Payment]
    next_cursor: str | None = None


class CaseGrouping(BaseModel):
    """An inpatient case with its group and its money; `path` is the way into the group as data."""

    setl_id: str
    fixmedins_code: str
    area_code: str
    settlement_month: str
    fund_pay_type: str
    method: str
    scheme_version: str | None = None
    case_status: str
    mdc: str | None = None
    adrg: str | None = None
    group_code: str | None = None
    group_name: str | None = None
    deviation_type: str | None = None
    points: str | None = None
    point_value: str | None = Field(None, description="As published, in yuan.")
    booked_amount: str
    accrued_amount: str
    is_provisional: bool = Field(description="Booked case by case, before its month is.")
    explanation: str = Field(description="Why this group and this money, Chinese.")
    explanation_en: str
    path: dict[str, Any] | None = None
