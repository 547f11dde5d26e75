"""Ids of batches in calls: held against their form before anything is looked up with them."""

from settlement.contract import BATCH_ID
from settlement.errors import SettlementError


def require_form(batch_id: object) -> str:
    """Give the id as it is.

    Raises:
        SettlementError: ``batch_id_invalid``.
    """
    if isinstance(batch_id, str) and BATCH_ID.fullmatch(batch_id):
        return batch_id
    raise SettlementError(
        "batch_id_invalid",
        f"batch_id is {str(batch_id)[:100]!r} (批次号不合规范)",
        "a batch id is 1 to 64 letters, digits, '_', '.' or '-', and begins with a letter or digit "
        "(1至64位字母、数字、下划线、点或连字符, 以字母或数字开头)",
    )
