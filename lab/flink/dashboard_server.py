"""Serve the embedded account's Flink dashboards behind JupyterLab: `python -m lab.flink.dashboard_server SOCKET`.

Started by jupyter-server-proxy (`lab.flink.jupyter_proxy`), which has already asked who the caller is. Every
application has a cluster and a dashboard of its own, on another port after each start: its address is asked each time.
What looks is let through, what changes is not, and where no dashboard is there is one sentence.
"""

import http.client
import os
import shutil
import socketserver
import sys
from collections.abc import Mapping
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from lab.core.session import local_endpoint, local_status
from lab.flink.dashboard_address import dashboards

_PARENT_LOOK = 1.0  # seconds between two looks at whether JupyterLab is still there
_FLINK_TIMEOUT = 30.0  # seconds
# Flink's REST API cancels and stops a job by GET too, for proxies of YARN that know no other method.
_CHANGING = {"yarn-cancel", "yarn-stop"}
_ASKED = ("Accept", "Accept-Encoding", "If-Modified-Since", "If-None-Match")
_ANSWERED = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Content-Disposition",
    "Cache-Control",
    "ETag",
    "Last-Modified",
)
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Apache Flink dashboard</title>{refresh}
<style>body{{font-family:sans-serif;max-width:40em;margin:4em auto;padding:0 1em;line-height:1.5}}</style></head>
<body><h1>Apache Flink dashboard</h1>{body}</body></html>
"""
_REFRESH = '<meta http-equiv="refresh" content="5">'


class DashboardHandler(BaseHTTPRequestHandler):
    """Answer one request: ``/`` leads to the dashboard that runs, ``/<application>/...`` is that application's."""

    def do_GET(self) -> None:
        application, slash, path = urlsplit(self.path).path.lstrip("/").partition("/")
        running = dashboards()
        if not application:
            self._entrance(running)
        elif unquote(application) not in running:
            self._sentence(404, why_empty(unquote(application), running))
        elif not slash:
            self._redirect(f"{application}/")
        elif _CHANGING & set(unquote(path).split("/")):
            self._sentence(403, "This dashboard only shows: stop an application with StopApplication.")
        else:
            self._forward(running[unquote(application)], "/" + path)

    do_HEAD = do_GET

    def _refuse(self) -> None:
        self._sentence(405, "This dashboard only shows: applications are changed by their API.", Allow="GET, HEAD")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse

    def _entrance(self, running: Mapping[str, str]) -> None:
        if len(running) == 1:
            self._redirect(f"{quote(next(iter(running)))}/")
        elif running:
            links = "".join(f'<li><a href="{quote(name)}/">{escape(name)}</a></li>' for name in sorted(running))
            self._page(200, f"<p>Several applications are running:</p><ul>{links}</ul>")
        else:
            self._sentence(200, why_empty("", running))

    def _forward(self, address: str, path: str) -> None:
        query = urlsplit(self.path).query
        asked = {name: self.headers[name] for name in _ASKED if name in self.headers}
        flink = http.client.HTTPConnection(address, timeout=_FLINK_TIMEOUT)
        try:
            flink.request(self.command, f"{path}?{query}" if query else path, headers=asked)
            answer = flink.getresponse()
        except (OSError, http.client.HTTPException) as error:
            flink.close()
            self._sentence(502, f"Flink does not answer ({error}): its cluster starts or stops. This page looks again.")
            return
        with answer:
            self.send_response(answer.status)
            for name in _ANSWERED:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile)
        flink.close()

    def _redirect(self, relative: str) -> None:
        """Redirect relative to the address in the browser, of which only JupyterLab knows the beginning."""
        self.send_response(302)
        self.send_header("Location", relative)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _sentence(self, code: int, sentence: str, **headers: str) -> None:
        looks_again = self.command in ("GET", "HEAD") and code != 403
        self._page(code, f"<p>{escape(sentence)}</p>", _REFRESH if looks_again else "", **headers)

    def _page(self, code: int, body: str, refresh: str = "", **headers: str) -> None:
        page = _PAGE.format(refresh=refresh, body=body).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    def address_string(self) -> str:
        """Name the caller for the log: one at a Unix socket has no address."""
        return "jupyter"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the dashboard asks every second, and the terminal of `make jupyter` is for people."""


def why_empty(application: str, running: Mapping[str, str]) -> str:
    """Say why there is no dashboard (of ``application``, or at all), and what to do."""
    if local_status() is None:
        return (
            f"The embedded account does not answer at {local_endpoint()}: run 01_streams, which starts it, then 02 and "
            "03; this page becomes the dashboard when the application runs."
        )
    if application and running:
        return f"No application {application} is running here; running: {', '.join(sorted(running))}."
    return (
        "No application is running, and the dashboard is its cluster's: run 03_flink_job, which starts one; this page "
        "becomes the dashboard then."
    )


class DashboardServer(socketserver.ThreadingUnixStreamServer):
    """Serve until the process that started it is gone."""

    daemon_threads = True
    timeout = _PARENT_LOOK

    def serve_while_parent(self, parent: int) -> None:
        """Answer requests as long as ``parent`` is the parent; JupyterLab may be killed without a chance to say so."""
        while os.getppid() == parent:
            self.handle_request()


def main() -> None:
    socket = Path(sys.argv[1])
    parent = os.getppid()
    try:
        with DashboardServer(str(socket), DashboardHandler) as server:
            server.serve_while_parent(parent)
    finally:
        socket.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
