"""Sealing at the end of what a step wrote: records get their seal, and the newest seals leave the database."""

import logging

from settlement.tasks.parameters import day_of_run

log = logging.getLogger(__name__)


def seal_and_publish() -> None:
    """Seal the records that wait, and write the newest seals as the file of the run's own day."""
    from settlement.ledger.published import publish_seals
    from settlement.ledger.records import seal_records

    count = seal_records()
    path = publish_seals(day_of_run())
    log.info("%d records sealed; newest seals in %s", count, path)
