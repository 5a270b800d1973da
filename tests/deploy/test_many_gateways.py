"""Tests ``deploy/compose.yaml`` and ``deploy/kubernetes.yaml``: their schemas take them, and the gateway their
settings.

Neither is started here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from settings import read_settings
from tests.deploy.conftest import Tool
from tests.support.processes import ROOT
from tests.support.required_programs import need

COMPOSE = ROOT / "deploy" / "compose.yaml"
KUBERNETES = ROOT / "deploy" / "kubernetes.yaml"


def test_compose_takes_its_file(tool: Tool) -> None:
    assert "ok" in tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


def test_kubernetes_takes_its_file(tool: Tool) -> None:
    told = tool("kubernetes-validate", "--strict", str(KUBERNETES))
    passed = re.findall(r"passed for resource (\w+)/\w+", told)
    assert sorted(passed) == [
        *["deployment"] * 2,
        *["networkpolicy"] * 2,
        "poddisruptionbudget",
        *["service"] * 2,
    ]


@pytest.mark.parametrize("file", [COMPOSE, KUBERNETES], ids=lambda file: file.name)
def test_the_gateway_takes_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.read_text(encoding="utf-8")
    told = dict(
        re.findall(r"^ +(?:- \{name: )?(GATEWAY_\w+)(?:: |, value: )\"?([^\s\"}]+)", text, re.MULTILINE)
    )
    told = {name: re.sub(r"^\$\{\w+:-(.*)\}?$", r"\1", value) for name, value in told.items()}
    assert {"GATEWAY_UPSTREAM", "GATEWAY_TRUSTED_PROXIES"} <= told.keys()
    told.setdefault(
        "GATEWAY_STORAGE", "".join(re.findall(r"=(valkey://\S+)", text)).replace("SECRET", "x" * 20)
    )
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.upstream == "https://djangopackages.org/api/v4/"
    assert settings.storage.startswith("valkey://")


def test_the_image_can_have_what_the_gateways_need() -> None:
    extras = re.findall(r'EXTRAS(?:: |=)"?([a-z ]+)', COMPOSE.read_text() + KUBERNETES.read_text())
    assert len(extras) == 2
    for each in extras:
        assert "valkey" in each.split()
        for name in each.split():
            assert (ROOT / "requirements" / f"{name}.txt").is_file()


def test_nginx_takes_the_upstream_of_compose(tmp_path: Path) -> None:
    need("nginx")
    (found,) = re.findall(r"content: \|\n(.*?)\n\n", COMPOSE.read_text(encoding="utf-8"), re.DOTALL)
    # The name is one of the network of the containers.
    upstream = found.replace("server gateway:8000", "server 127.0.0.1:8000")
    assert upstream != found
    around = (
        f"events {{}} pid {tmp_path}/pid; http {{ access_log off;\n{upstream}\n"
        "server { location / { proxy_pass http://gateway; } } }"
    )
    (tmp_path / "nginx.conf").write_text(around, encoding="utf-8")
    command = ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
