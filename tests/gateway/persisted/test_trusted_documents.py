"""Tests trusted documents, by the object that finds documents: both formats, the modes, and a file that changes."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from gateway.document_cache import DocumentCache
from gateway.persisted.document_lookup import PersistedDocuments
from gateway.persisted.trusted_documents import LOOK_AGAIN, TrustedDocuments
from tests.support.persisted_documents import NOT_FOUND, TEXT, apollo, hash_of, refusal
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.trusted_documents import (
    NOT_IN_SAFELIST,
    OTHER,
    UNFIT,
    apollo_manifest,
    documents_of,
    write,
)

FREE = "{ __typename }"


DOCUMENTS = DocumentCache(DOCUMENT_LIMITS)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def following(path: Path, clock: Clock, content: object, **options: bool) -> PersistedDocuments:
    write(path, content)
    documents = documents_of(DOCUMENTS, path, clock, **options)
    documents.open()
    assert documents.trusted
    await documents.trusted.checked()
    return documents


async def test_a_document_of_apollos_manifest_is_found_by_either_kind_of_id(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT))
    assert documents.resolve(None, None, apollo(TEXT)) == TEXT
    assert documents.resolve(None, hash_of(TEXT)) == TEXT
    assert documents.resolve(None, f"sha256:{hash_of(TEXT)}") == TEXT
    assert documents.outcomes == {"trusted": 3}


async def test_a_document_of_relays_manifest_is_found_by_its_id_and_by_its_sha256(
    path: Path, clock: Clock
) -> None:
    md5 = "f4af2e1a6c4a1a4b35a7e1c45a4a0f0b"
    documents = await following(path, clock, {md5: TEXT, "sha256:given": OTHER})
    assert documents.resolve(None, md5) == TEXT
    assert documents.resolve(None, f"sha256:{hash_of(TEXT)}") == TEXT
    assert documents.resolve(None, "sha256:given") == OTHER
    # Apollo's link with ids of one's own.
    assert documents.resolve(None, None, {"persistedQuery": {"version": 1, "sha256Hash": md5}}) == TEXT


async def test_an_id_of_the_manifest_may_come_with_its_text(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, {"an-id": TEXT}, only_trusted=True)
    assert documents.resolve(TEXT, "an-id") == TEXT
    assert refusal(documents, OTHER, "an-id")[0] == "BAD_REQUEST"
    assert len(documents.registered) == 0


async def test_beside_a_manifest_others_can_register(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT))
    assert refusal(documents, None, None, apollo(OTHER)) == NOT_FOUND
    assert documents.resolve(OTHER, None, apollo(OTHER)) == OTHER
    assert documents.resolve(None, None, apollo(OTHER)) == OTHER
    assert documents.resolve(FREE) == FREE


async def test_without_registration_clients_are_asked_for_the_text_and_it_is_not_kept(
    path: Path, clock: Clock
) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT), automatic=False)
    assert documents.resolve(None, None, apollo(TEXT)) == TEXT
    # Not "not supported", for which Apollo's client would send no id any more.
    assert refusal(documents, None, None, apollo(OTHER)) == NOT_FOUND
    assert documents.resolve(OTHER, None, apollo(OTHER)) == OTHER
    assert refusal(documents, None, None, apollo(OTHER)) == NOT_FOUND


async def test_in_the_mode_only_nothing_else_runs(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT), only_trusted=True)
    assert documents.resolve(None, hash_of(TEXT)) == TEXT
    assert documents.resolve(TEXT) == TEXT
    assert documents.resolve(TEXT, None, apollo(TEXT)) == TEXT
    for free in [FREE, OTHER, f"{TEXT} ", "{ __schema { types { name } } }"]:
        assert refusal(documents, free) == NOT_IN_SAFELIST
        assert refusal(documents, free, None, apollo(free)) == NOT_IN_SAFELIST
    assert len(documents.registered) == 0


async def test_in_the_mode_only_an_unknown_id_does_not_ask_for_the_text(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT), only_trusted=True)
    expected = (
        "PERSISTED_QUERY_NOT_IN_LIST",
        "The manifest of this gateway has no document with this id.",
        422,
        422,
    )
    assert refusal(documents, None, None, apollo(OTHER)) == expected
    assert refusal(documents, None, "unknown") == expected


async def test_a_manifest_that_changes_is_read_again_at_most_once_a_second(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT), only_trusted=True)
    write(path, apollo_manifest(Other=OTHER))
    clock.now += LOOK_AGAIN - 0.01
    assert documents.resolve(TEXT) == TEXT
    assert refusal(documents, OTHER) == NOT_IN_SAFELIST
    clock.now += 0.01
    assert documents.resolve(OTHER) == OTHER
    assert refusal(documents, TEXT) == NOT_IN_SAFELIST


async def test_the_version_changes_with_each_manifest_that_is_taken_over(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, {"an-id": TEXT})
    versions = [documents.version()]
    for content in [{"an-id": OTHER}, "{", {"an-id": TEXT}]:
        write(path, content)
        versions.append(documents.version())
        clock.now += LOOK_AGAIN
        versions.append(documents.version())
    assert versions == ["1", "1", "2", "2", "2", "2", "3"]
    assert documents_of(DOCUMENTS).version() == ""


@pytest.mark.parametrize("wrong", ["{", '{"a": 1}', None], ids=["cut short", "no manifest", "gone"])
async def test_a_new_manifest_that_is_broken_leaves_the_old_one(
    path: Path, clock: Clock, wrong: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT), only_trusted=True)
    assert documents.trusted
    await asyncio.to_thread(path.unlink) if wrong is None else write(path, wrong)
    for _ in range(3):
        clock.now += LOOK_AGAIN
        assert documents.resolve(TEXT) == TEXT
    assert documents.trusted.failures == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert str(path) in record.getMessage()
    assert record.getMessage().endswith("The previous documents stay valid.")
    write(path, apollo_manifest(Other=OTHER))
    clock.now += LOOK_AGAIN
    assert documents.resolve(OTHER) == OTHER


async def test_a_gateway_that_starts_with_a_broken_manifest_trusts_nothing_until_it_is_mended(
    path: Path, clock: Clock
) -> None:
    documents = await following(path, clock, "{", only_trusted=True)
    assert documents.trusted
    assert documents.trusted.failures == 1
    assert refusal(documents, TEXT) == NOT_IN_SAFELIST
    write(path, apollo_manifest(Categories=TEXT))
    clock.now += LOOK_AGAIN
    assert documents.resolve(TEXT) == TEXT


async def test_documents_that_do_not_fit_are_told_by_name_and_only_they_fail(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    content = apollo_manifest(
        Categories=TEXT, Unfit=UNFIT, Broken="{", Fragment="fragment F on Package { title }"
    )
    documents = await following(path, clock, content)
    assert documents.trusted
    assert documents.trusted.unfit == [
        "Unfit: Cannot query field 'nothing' on type 'Query'.",
        "Broken: Syntax Error: Expected Name, found <EOF>.",
        "Fragment: Fragment 'F' is never used.",
    ]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert documents.resolve(None, hash_of(TEXT)) == TEXT
    assert documents.resolve(None, hash_of(UNFIT)) == UNFIT
    write(path, apollo_manifest(Categories=TEXT))
    clock.now += LOOK_AGAIN
    documents.open()
    await documents.trusted.checked()
    assert documents.trusted.unfit == []


async def test_a_file_that_only_looks_touched_is_read_and_nothing_changes(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, apollo_manifest(Categories=TEXT))
    os.utime(path, (1, 1))
    clock.now += LOOK_AGAIN
    assert documents.resolve(None, hash_of(TEXT)) == TEXT


async def test_a_new_manifest_ends_the_check_of_the_old_one(path: Path, clock: Clock) -> None:
    write(path, {f"old-{n}": f"{{ old{n} }}" for n in range(5)})
    trusted = TrustedDocuments(path, DOCUMENTS, clock)
    trusted.look()
    write(path, {"new": UNFIT})
    clock.now += LOOK_AGAIN
    trusted.look()
    for _ in range(20):
        await asyncio.sleep(0)
    assert trusted.unfit == ["new: Cannot query field 'nothing' on type 'Query'."]


async def test_requests_get_their_turn_while_documents_are_checked(path: Path, clock: Clock) -> None:
    write(path, {f"id-{n}": f"{{ a{n}: __typename }}" for n in range(20)})
    trusted = TrustedDocuments(path, DOCUMENTS, clock)
    trusted.look()
    checking = asyncio.ensure_future(trusted.checked())
    turns = 0
    while not checking.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 20


async def test_another_manifest_of_the_same_size_is_seen(path: Path, clock: Clock) -> None:
    documents = await following(path, clock, {"a": "{ b: __typename }"})
    write(path, {"b": "{ a: __typename }"})
    clock.now += LOOK_AGAIN
    assert documents.resolve(None, "b") == "{ a: __typename }"


async def test_a_check_under_way_can_be_stopped(path: Path, clock: Clock) -> None:
    write(path, apollo_manifest(Unfit=UNFIT))
    documents = documents_of(DOCUMENTS, path, clock)
    documents.open()
    documents.close()
    assert documents.trusted
    assert documents.trusted.unfit == []
    assert documents.resolve(None, hash_of(UNFIT)) == UNFIT
