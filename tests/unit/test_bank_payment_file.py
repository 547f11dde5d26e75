"""The payment file for the bank, as XML and as CSV."""

import csv
import io
import random
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pyiso20022.pain.pain_001_001_09 import Document
from pyiso20022.tools.validation import ISO20022Validator
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from settlement.banking import pain001, payment_csv
from settlement.banking.payment_file import BankAccount, Payment, PaymentFile, message_id, payment_file, usable_account
from settlement.errors import SettlementError

FUND = BankAccount("某市医疗保险基金支出户", "933010001", "102331000016")
HOSPITAL = BankAccount("某市第一人民医院", "622200000001", "105331000024")


def payment(number: int, amount: str = "10.50", creditor: BankAccount = HOSPITAL) -> Payment:
    instruction_id = uuid5(NAMESPACE_URL, f"instruction|{number}")
    return Payment(instruction_id, Decimal(amount), creditor, "H33010600123", "医保基金 310100 2026-02")


def request(payments: list[Payment]) -> PaymentFile:
    return payment_file(
        area_code="330100",
        fund_pay_type="310100",
        pay_date=date(2026, 3, 2),
        purpose="daily",
        debtor=FUND,
        payments=payments,
    )


def read_back(xml: bytes) -> Document:
    """Read the message with the classes generated from the schema; anything they do not know is an error."""
    config = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True)
    return XmlParser(config=config).from_bytes(xml, Document)


def test_the_message_reads_back_as_its_schema_says() -> None:
    message = read_back(pain001.write(request([payment(number) for number in range(5)])))
    assert ISO20022Validator().validate(message).is_valid

    group = message.cstmr_cdt_trf_initn.grp_hdr
    (block,) = message.cstmr_cdt_trf_initn.pmt_inf
    assert group.msg_id == block.pmt_inf_id == "330100-310100-20260302-daily"
    assert group.nb_of_txs == block.nb_of_txs == "5"
    assert group.ctrl_sum == block.ctrl_sum == Decimal("52.50")
    assert str(group.cre_dt_tm) == "2026-03-02T00:00:00+08:00"
    assert str(block.reqd_exctn_dt.dt) == "2026-03-02"
    assert block.dbtr.nm == FUND.name


def test_a_payment_carries_its_identifier_amount_and_account() -> None:
    only = payment(1, "86419.75")
    (block,) = read_back(pain001.write(request([only]))).cstmr_cdt_trf_initn.pmt_inf
    (transfer,) = block.cdt_trf_tx_inf
    assert transfer.pmt_id.end_to_end_id == str(only.instruction_id).replace("-", "")
    assert transfer.amt.instd_amt is not None
    assert (transfer.amt.instd_amt.value, transfer.amt.instd_amt.ccy) == (Decimal("86419.75"), "CNY")
    assert transfer.cdtr_agt is not None
    member = transfer.cdtr_agt.fin_instn_id.clr_sys_mmb_id
    assert member is not None
    assert member.clr_sys_id is not None
    assert (member.clr_sys_id.cd, member.mmb_id) == ("CNAPS", HOSPITAL.bank_code)
    assert transfer.cdtr is not None
    assert transfer.cdtr.nm == "某市第一人民医院"


def test_the_same_request_gives_the_same_bytes_in_any_order() -> None:
    payments = [payment(number) for number in range(20)]
    first = request(payments)
    random.Random(20260302).shuffle(payments)
    second = request([replace(one, amount=Decimal("10.5")) for one in payments])
    assert pain001.write(first) == pain001.write(second)
    assert payment_csv.write(first) == payment_csv.write(second)


def test_amounts_have_two_decimals_and_names_are_escaped() -> None:
    odd = replace(HOSPITAL, name='<甲&乙> "医院"')
    xml = pain001.write(request([payment(1, "21", odd)]))
    tree = etree.fromstring(xml)
    assert tree.findtext(".//{*}InstdAmt") == "21.00"
    assert tree.findtext(".//{*}Cdtr/{*}Nm") == odd.name


@settings(max_examples=50)
@given(st.text(max_size=150))
def test_a_name_is_refused_or_comes_back_as_it_is(name: str) -> None:
    account = usable_account(name, HOSPITAL.number, HOSPITAL.bank_code)
    if account is None:
        assert not name.strip() or len(name) > 140 or any(ord(letter) < 32 or ord(letter) > 0x7E for letter in name)
    else:
        tree = etree.fromstring(pain001.write(request([payment(1, creditor=account)])))
        assert tree.findtext(".//{*}Cdtr/{*}Nm") == name


def test_the_csv_says_the_same_as_the_xml() -> None:
    file = request([payment(number, f"{number}.01") for number in range(1, 4)])
    rows = list(csv.DictReader(io.StringIO(payment_csv.write(file).decode("utf-8-sig"))))
    (block,) = read_back(pain001.write(file)).cstmr_cdt_trf_initn.pmt_inf
    from_xml = [
        (transfer.pmt_id.end_to_end_id, transfer.amt.instd_amt and transfer.amt.instd_amt.value)
        for transfer in block.cdt_trf_tx_inf
    ]
    assert [(row["end_to_end_id"], Decimal(row["amount"])) for row in rows] == from_xml
    assert {row["debtor_account"] for row in rows} == {FUND.number}


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+cmd", "-1+1", "@SUM(A1)"])
def test_no_cell_of_the_csv_runs_as_a_formula(name: str) -> None:
    file = request([payment(1, creditor=replace(HOSPITAL, name=name))])
    (row,) = csv.DictReader(io.StringIO(payment_csv.write(file).decode("utf-8-sig")))
    assert row["creditor_name"] == "'" + name


def test_accounts_that_differ_in_the_last_digit_differ_in_a_spreadsheet_too() -> None:
    ends = [replace(HOSPITAL, number=f"626512000000000{end}") for end in (1, 9)]
    file = request([payment(number, creditor=account) for number, account in enumerate(ends)])
    rows = csv.DictReader(io.StringIO(payment_csv.write(file).decode("utf-8-sig")))
    assert {row["creditor_account"] for row in rows} == {"'6265120000000001", "'6265120000000009"}


def test_message_identifiers_fit_into_35_characters_whatever_the_purpose() -> None:
    long = message_id("330100", "310100", date(2026, 3, 2), "a_purpose_that_is_much_too_long")
    chinese = message_id("330100", "310100", date(2026, 3, 2), "日拨付")
    assert len(long) == len(chinese) == 35
    assert long != chinese
    assert chinese == message_id("330100", "310100", date(2026, 3, 2), "日拨付")


@pytest.mark.parametrize(
    "broken",
    [
        {"bank_code": "12345"},
        {"bank_code": "\uff11" * 12},
        {"number": " "},
        {"name": "a\x00b"},
        {"name": "长" * 141},
    ],
)
def test_an_account_no_message_can_carry_is_refused(broken: dict[str, str]) -> None:
    with pytest.raises(SettlementError) as caught:
        replace(HOSPITAL, **broken)
    assert caught.value.code == "bank_account_invalid"
    parts = {"name": HOSPITAL.name, "number": HOSPITAL.number, "bank_code": HOSPITAL.bank_code}
    assert usable_account(**parts) == HOSPITAL
    assert usable_account(**(parts | broken)) is None
    assert usable_account(None, None, None) is None


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001", "10000000000000.00"])
def test_an_amount_that_is_no_payment_is_refused(amount: str) -> None:
    with pytest.raises(SettlementError) as caught:
        payment(1, amount)
    assert caught.value.code == "payment_amount_invalid"


@pytest.mark.parametrize("payments", [[], [payment(1), payment(1)]])
def test_an_empty_file_and_a_payment_twice_are_refused(payments: list[Payment]) -> None:
    with pytest.raises(ValueError, match="holds"):
        request(payments)


def test_a_file_keeps_its_own_promises() -> None:
    file = request([payment(1), payment(2)])
    with pytest.raises(ValueError, match="order"):
        replace(file, payments=file.payments[::-1])
    with pytest.raises(ValueError, match="time zone"):
        replace(file, created_at=datetime(2026, 3, 2))
    with pytest.raises(ValueError, match="identifier"):
        replace(file, message_id="中文")


def test_an_instruction_id_is_shown_without_dashes() -> None:
    one = replace(payment(1), instruction_id=UUID("c1e167d2-3309-5e5b-8bee-6361edbdc93d"))
    assert one.end_to_end_id == "c1e167d233095e5b8bee6361edbdc93d"
