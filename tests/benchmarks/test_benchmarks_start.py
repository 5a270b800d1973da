"""Each benchmark starts, and one that needs nothing else measures a small catalog."""

from __future__ import annotations

import runpy
import sys

import pytest

from benchmarks.lists import FILTERS, measured
from tests.support.source_files import ROOT, python_files, source_file

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for path in python_files()
    if path.is_relative_to(ROOT / "benchmarks") and "ArgumentParser" in source_file(path).text
)


@pytest.mark.filterwarnings("ignore:.*found in sys.modules.*:RuntimeWarning")
@pytest.mark.parametrize("module", COMMANDS)
def test_a_benchmark_tells_what_it_measures(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_the_lists_of_a_small_catalog_are_measured() -> None:
    seconds = measured(100)
    assert len(seconds) == len(FILTERS) + 3
    assert min(seconds.values()) > 0
