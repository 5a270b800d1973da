"""Tests ``/llms.txt`` in the form of llmstxt.org: a title, a summary, and lists of links, all of which lead
somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.gateway_in_process import app_over, client_of
from upstream.embedded import EmbeddedUpstream
from web.pages.page_frame import DEMO

LINK = re.compile(r"^- \[[^\]]+\]\((http[^)]+)\)(: \S.*)?$")
ROOT = Path(__file__).parents[3]


async def test_it_has_the_form_and_every_link_leads_somewhere(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    async with client_of(app := app_over(embedded, files=str(tmp_path))) as http:
        await app.parts.source.crawl()
        answer = await http.get("/llms.txt")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        title, _, summary, _, how, *rest = answer.text.splitlines()
        assert title.startswith("# ")
        assert summary.startswith("> ")
        assert "http://gateway.test/graphql" in how
        assert DEMO not in how
        sections = [line.removeprefix("## ") for line in rest if line.startswith("## ")]
        assert sections == ["Schema", "Documents", "Files", "Optional"]
        links = [found[1] for line in rest if line.startswith("- ") if (found := LINK.match(line))]
        assert len(links) == len([line for line in rest if line and not line.startswith("## ")])
        for link in links:
            followed = await http.get(link)
            assert followed.status_code == 200, link
        documents = {link.rpartition("/")[2] for link in links if "/docs/" in link}
        assert documents == {path.name for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize("mcp", ["on", "off"])
async def test_it_tells_of_tools_and_files_only_where_they_are(embedded: EmbeddedUpstream, mcp: str) -> None:
    async with client_of(app_over(embedded, mcp=mcp, files="off")) as http:
        text = (await http.get("/llms.txt")).text
        assert ("http://gateway.test/mcp" in text) == (mcp == "on")
        assert "/catalog" not in text


async def test_it_invites_to_no_query_where_only_trusted_documents_run_and_tells_of_demo_data(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": []}')
    app = app_over(
        embedded,
        upstream="embedded",
        trusted_documents=str(manifest),
        trusted_documents_mode="only",
        files="off",
    )
    async with client_of(app) as http:
        text = (await http.get("/llms.txt")).text
        assert "runs trusted documents alone" in text
        assert "Send queries" not in text
        assert DEMO in text
