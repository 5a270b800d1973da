"""Provides a process that serves: publishes catalogs, with new documents between them, and tells what it keeps of
those.

Arguments: how many publishes. Prints how many parsed documents there are in the end, frozen or not, how many objects
are frozen more than at its start, and the megabytes that it takes (RSS) at its start and after each publish.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

from graphql import DocumentNode

from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over, source_over
from upstream.embedded import EmbeddedUpstream
from web.serving.interpreter_tuning import tune

DOCUMENTS = 1_100
"""New ones between two publishes: more than a gateway keeps."""


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


async def main(publishes: int) -> None:
    embedded = EmbeddedUpstream(packages=20)
    async with source_over(embedded) as source:
        gateway = gateway_over(source)
        await source.crawl()
        tune()
        frozen = gc.get_freeze_count()
        sizes = [megabytes()]
        for turn in range(publishes):
            for number in range(DOCUMENTS):
                answer = await gateway.execute(GraphQLRequest(f"{{ a{turn}_{number}: __typename }}"))
                assert not answer.failed
            embedded.catalog.update_package(1599, title=f"title {turn}")
            await source.crawl()
            sizes.append(megabytes())
        frozen = gc.get_freeze_count() - frozen
        gc.collect()
        gc.unfreeze()
        documents = sum(isinstance(each, DocumentNode) for each in gc.get_objects())
        json.dump({"documents": documents, "frozen": frozen, "megabytes": sizes}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
