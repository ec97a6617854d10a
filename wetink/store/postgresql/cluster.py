"""Cluster: notices that another cluster wrote the log, as in a restored dump or before a failover.

A message's position has the ID of its transaction, which each cluster counts for itself. See migration 034.
"""

import logging
from typing import Any

logger = logging.getLogger(__name__)


async def recognize(connection: Any) -> None:
    """Note the cluster if another one wrote the log. From then on, positions follow those that are there."""
    if not await connection.fetchval("SELECT is_other_cluster()"):
        return
    if await connection.fetchval("SELECT recognize_cluster()"):
        logger.warning("the database was restored from a dump: new messages follow the restored ones")
