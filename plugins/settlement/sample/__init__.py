"""Realistic batches of any size to the input contract, and a bank that answers payment files.

Everything is invented from a seed: names say 测试, codes only have the national form. The same arguments always give
the same bytes, and the summary says what a receipt should count.
"""

from settlement.sample.batches import write_batches
from settlement.sample.summary import BatchSummary, FileCount, SampleRequest, SampleSummary

__all__ = ["BatchSummary", "FileCount", "SampleRequest", "SampleSummary", "write_batches"]
