"""Runs the examples of one page; see tests/pages.py. What a block shows must be what the page says."""

import json
import re
import subprocess
import sys

from IPython.core.interactiveshell import InteractiveShell


class Page:
    """One shell for the cells, one process a block of shell lines, and the brokers that such lines start."""

    def __init__(self, servers):
        self._servers = servers
        self._brokers = []
        self._shell = InteractiveShell.instance()

    def step(self, language, source, expected):
        for named, here in self._servers.items():
            source = source.replace(named, here)
        if language == "sh" and source.startswith("kubemq-nb broker ") and "--address" in source:
            return self._serve(source)
        shown = self._cell(source) if language == "python" else self._lines(source)
        if expected and shown.strip() != expected.strip():
            sys.exit(f"this block:\n{source}\nshows:\n{shown}\nnot:\n{expected}")
        return None

    def _cell(self, source):
        done = self._shell.run_cell(source, store_history=True)
        if not done.success:
            sys.exit(f"this cell fails:\n{source}")
        return self._shell.display_formatter.format(done.result)[0]["text/plain"]

    def _lines(self, source):
        done = subprocess.run(
            ["sh", "-e", "-c", source], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"these lines fail:\n{source}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _serve(self, source):
        """Start a broker on a port that is free; the page's port stands for it from now on."""
        host, port = re.search(r"--address (\S+):(\d+)", source).groups()
        here = "localhost" if host == "localhost" else "127.0.0.1"
        command = source.strip().replace(f"{host}:{port}", f"{here}:0")
        process = subprocess.Popen(["sh", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True)
        self._brokers.append(process)
        address = json.loads(process.stdout.readline())["address"]
        for name in (host, "localhost", "teacher.local"):
            self._servers[f"{name}:{port}"] = address

    def end(self):
        for process in self._brokers:
            process.terminate()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    steps, servers = json.loads(sys.stdin.readline())
    page = Page(servers)
    try:
        for step in steps:
            page.step(*step)
    finally:
        page.end()
