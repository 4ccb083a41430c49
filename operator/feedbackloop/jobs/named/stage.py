"""The step of the curate job: rows in, rows without names out, or the reason why not."""

from __future__ import annotations

import logging
from dataclasses import replace

from feedbackloop.api.collection import Named
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.jobs.curate.dataset import DataSet
from feedbackloop.jobs.named import choosing, rows

log = logging.getLogger(__name__)


def without_names(wanted: Named, data: DataSet) -> DataSet:
    """The data set as it may be trained on, with a report in `named`."""
    engine = choosing.choose(wanted)
    if isinstance(engine, NamedEntities):
        log.info("names stay in the rows: %s %s", engine.reason, engine.message)
        return replace(data, named=engine)
    changed, report = rows.without_names(data, engine)
    log.info("%s with %s replaced %s", report.engine, report.model, report.replaced)
    return replace(changed, named=report)
