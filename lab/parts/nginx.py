"""nginx: the load balancer in front of the shop's workers, and its access log as JSON lines."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import ClassVar

from lab.parts.part import HOST, Part, answers, free_port, program

CONFIGURATION = """
daemon off;
%(user)s
worker_processes 1;
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx-error.log warn;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path %(folder)s/nginx-body;
    proxy_temp_path %(folder)s/nginx-proxy;
    fastcgi_temp_path %(folder)s/nginx-fastcgi;
    uwsgi_temp_path %(folder)s/nginx-uwsgi;
    scgi_temp_path %(folder)s/nginx-scgi;

    # A visitor's first request carries no cookie yet: take the one that the answer sets.
    map $cookie_session $visitor { "" $upstream_cookie_session; default $cookie_session; }
    log_format lines escape=json '{"at":$msec,"method":"$request_method","path":"$uri","status":$status,'
        '"request_time":$request_time,"upstream_time":"$upstream_response_time","upstream":"$upstream_addr",'
        '"session":"$visitor"}';

    upstream shop {
        least_conn;
        keepalive 16;
%(servers)s
    }
    server {
        listen %(host)s:%(port)d backlog=1024;
        access_log %(log)s lines;
        location / {
            proxy_pass http://shop;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_read_timeout 3s;
            proxy_next_upstream off;
        }
    }
    server {
        listen %(host)s:%(status_port)d;
        location = /stub_status { stub_status; }
    }
}
"""


class Nginx(Part):
    """One master, one worker."""

    name = "nginx"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, upstreams: list[int]) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.status_port = free_port()
        self.upstreams = upstreams
        self.access_log = folder / "access.jsonl"
        self.url = f"http://{HOST}:{self.port}"
        self.status_url = f"http://{HOST}:{self.status_port}/stub_status"
        self.pid_file = folder / "nginx.pid"

    def prepare(self) -> None:
        """Write nginx.conf."""
        servers = "\n".join(f"        server {HOST}:{port} max_fails=0;" for port in self.upstreams)
        (self.folder / "nginx.conf").write_text(
            CONFIGURATION
            % {
                "user": "user nobody nogroup;" if os.geteuid() == 0 else "",
                "folder": self.folder,
                "servers": servers,
                "host": HOST,
                "port": self.port,
                "status_port": self.status_port,
                "log": self.access_log,
            }
        )

    def command(self) -> list[str]:
        """The master in the foreground."""
        run = [program("nginx", "nginx"), "-p", str(self.folder)]
        return [*run, "-e", str(self.folder / "nginx-error.log"), "-c", str(self.folder / "nginx.conf")]

    def ready(self) -> bool:
        """It answers for itself; the shop behind it is a part of its own."""
        return answers(self.status_url)
