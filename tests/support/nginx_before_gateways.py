"""Runs nginx with the files of deploy/ in front of gateways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.http_servers import free_port
from tests.support.processes import ROOT, running
from tests.support.required_programs import need

NGINX = ROOT / "deploy" / "nginx"
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{inside}
}}
"""
"""The configuration around the files of conf.d, for an nginx of the test alone."""


@contextmanager
def nginx_before(folder: Path, *gateways: str, patience: str = "60s") -> Iterator[httpx.Client]:
    """Run nginx with the files of deploy/, but for its port, its gateways, its folder and how long it waits for one."""
    need("nginx")
    port = free_port()
    texts = [path.read_text(encoding="utf-8") for path in sorted(NGINX.glob("*.conf"))]
    assert len(texts) == 2
    inside = "\n".join(texts)
    servers = "\n".join(f"server {gateway.removeprefix('http://')};" for gateway in gateways)
    for ours, theirs in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:8000;": servers,
        "/var/cache/nginx": str(folder),
        "proxy_read_timeout 60s;": f"proxy_read_timeout {patience};",
    }.items():
        assert inside.count(ours) == 1
        inside = inside.replace(ours, theirs)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, inside=inside), encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    address = f"http://127.0.0.1:{port}"
    # What answers without a gateway.
    with (
        running(command, f"{address}/metrics"),
        httpx.Client(base_url=address, timeout=30, verify=False) as http,
    ):
        yield http
