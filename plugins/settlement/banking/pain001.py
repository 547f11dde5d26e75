"""Write a payment file as ISO 20022 `pain.001.001.09`, the customer credit transfer initiation."""

from decimal import Decimal

from pyiso20022.pain.pain_001_001_09 import (
    AccountIdentification4Choice,
    ActiveOrHistoricCurrencyAndAmount,
    AmountType4Choice,
    BranchAndFinancialInstitutionIdentification6,
    CashAccount38,
    ClearingSystemIdentification2Choice,
    ClearingSystemMemberIdentification2,
    CreditTransferTransaction34,
    CustomerCreditTransferInitiationV09,
    DateAndDateTime2Choice,
    Document,
    FinancialInstitutionIdentification18,
    GenericAccountIdentification1,
    GenericOrganisationIdentification1,
    GroupHeader85,
    OrganisationIdentification29,
    Party38Choice,
    PartyIdentification135,
    PaymentIdentification6,
    PaymentInstruction30,
    PaymentMethod3Code,
    RemittanceInformation16,
)
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

from settlement.banking.payment_file import CURRENCY, BankAccount, Payment, PaymentFile
from settlement.money import yuan

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
CLEARING_SYSTEM = "CNAPS"


def write(file: PaymentFile) -> bytes:
    """Give the message as UTF-8 XML; the same file always gives the same bytes."""
    serializer = XmlSerializer(config=SerializerConfig(indent="  "))
    xml: str = serializer.render(_document(file), ns_map={None: NAMESPACE})
    return xml.encode("utf-8")


def _document(file: PaymentFile) -> Document:
    """One group with one payment block: every payment leaves one account on one day."""
    count = str(len(file.payments))
    header = GroupHeader85(
        msg_id=file.message_id,
        cre_dt_tm=XmlDateTime.from_datetime(file.created_at),
        nb_of_txs=count,
        ctrl_sum=file.total,
        initg_pty=PartyIdentification135(nm=file.debtor.name),
    )
    block = PaymentInstruction30(
        pmt_inf_id=file.message_id,
        pmt_mtd=PaymentMethod3Code.TRF,
        nb_of_txs=count,
        ctrl_sum=file.total,
        reqd_exctn_dt=DateAndDateTime2Choice(dt=XmlDate.from_date(file.execution_date)),
        dbtr=PartyIdentification135(nm=file.debtor.name),
        dbtr_acct=_account(file.debtor),
        dbtr_agt=_bank(file.debtor),
        cdt_trf_tx_inf=[_transfer(payment) for payment in file.payments],
    )
    return Document(cstmr_cdt_trf_initn=CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=[block]))


def _transfer(payment: Payment) -> CreditTransferTransaction34:
    """One payment: identifier, amount, the creditor's bank, name and account, and what it is for."""
    code = GenericOrganisationIdentification1(id=payment.creditor_code)
    return CreditTransferTransaction34(
        pmt_id=PaymentIdentification6(end_to_end_id=payment.end_to_end_id),
        amt=AmountType4Choice(instd_amt=_amount(payment.amount)),
        cdtr_agt=_bank(payment.creditor),
        cdtr=PartyIdentification135(
            nm=payment.creditor.name,
            id=Party38Choice(org_id=OrganisationIdentification29(othr=[code])),
        ),
        cdtr_acct=_account(payment.creditor),
        rmt_inf=RemittanceInformation16(ustrd=[payment.remittance]),
    )


def _amount(amount: Decimal) -> ActiveOrHistoricCurrencyAndAmount:
    """An amount of yuan with its currency, always written with two decimals."""
    return ActiveOrHistoricCurrencyAndAmount(value=yuan(amount), ccy=CURRENCY)


def _account(account: BankAccount) -> CashAccount38:
    """Chinese accounts have no IBAN; the number stands under Othr."""
    number = GenericAccountIdentification1(id=account.number)
    return CashAccount38(id=AccountIdentification4Choice(othr=number), ccy=CURRENCY)


def _bank(account: BankAccount) -> BranchAndFinancialInstitutionIdentification6:
    """The bank as a member of CNAPS, the clearing system of the People's Bank of China."""
    member = ClearingSystemMemberIdentification2(
        clr_sys_id=ClearingSystemIdentification2Choice(cd=CLEARING_SYSTEM),
        mmb_id=account.bank_code,
    )
    return BranchAndFinancialInstitutionIdentification6(
        fin_instn_id=FinancialInstitutionIdentification18(clr_sys_mmb_id=member)
    )
