"""A real JupyterLab and a real browser, shut off from the settings of the machine and from the network."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import nbformat
from playwright.sync_api import Browser, Locator, Page, Playwright

CHROMIUM = os.environ.get("KUBEMQ_NB_CHROMIUM", shutil.which("chromium") or "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)
SETTINGS = "lab/api/settings/@jupyterlab/apputils-extension:"

OF_LAB = "Could not restore the debugger state"  # after a restart, when a notebook is closed soon

LATE, LAB_CORE = "Failed to execute 'removeChild' on 'Node'", "/static/lab/jlab_core."

OF_NOTEBOOK_7 = (  # what it says of itself while it loads, also without a cell
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)

# The command is lost in one attempt of four when it is given before the kernel has said who it is.
RUN_ALL = """async () => {
    const app = jupyterapp;
    await app.restored;
    const notebook = app.shell.currentWidget;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await notebook.sessionContext.session?.kernel?.info;
    return app.commands.execute('notebook:run-all-cells');
}"""


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)


class Lab:
    """One JupyterLab server over a folder of notebooks."""

    def __init__(self, home: Path) -> None:
        self.notebooks = home / "notebooks"
        self.notebooks.mkdir(parents=True)
        self.token = secrets.token_hex(16)
        self.url = ""  # it is told when the server listens
        self._log = (home / "jupyter.log").open("wb")
        folders = {name: str(home / name.lower()) for name in FOLDERS}
        self._runtime = Path(folders["JUPYTER_RUNTIME_DIR"])
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}"),
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
            ],
            env={**os.environ, **folders, "JUPYTER_PREFER_ENV_PATH": "1"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self) -> None:
        """Wait until it answers."""
        wait_until(self._answers, 60, "JupyterLab did not start")
        # The toast about Jupyter news covers what is clicked, and asks a server outside.
        self.set("notification", fetchNews="false", checkForUpdates=False)

    def __enter__(self) -> Self:
        try:
            self.wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and all kernels."""
        with contextlib.suppress(OSError):  # it may not have come up
            self.end_kernels()
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def set(self, plugin: str, **settings: object) -> None:
        """Change settings of Lab, as its settings editor does."""
        self.request("PUT", SETTINGS + plugin, {"raw": json.dumps(settings)})

    def theme(self, name: str) -> None:
        """Choose "JupyterLab Light" or "JupyterLab Dark" for pages that are opened from now on."""
        self.set("themes", theme=name)

    def end_kernels(self) -> None:
        """End all kernels."""
        for kernel in self.request("GET", "api/kernels") or []:
            with contextlib.suppress(urllib.error.HTTPError):
                self.request("DELETE", f"api/kernels/{kernel['id']}")

    def begin(self, name: str) -> str:
        """Start a kernel for a notebook that is opened next; the id of its session."""
        asked = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        return self.request("POST", "api/sessions", asked)["id"]

    def end(self, session: str) -> None:
        """End a session and its kernel."""
        with contextlib.suppress(urllib.error.HTTPError):
            self.request("DELETE", f"api/sessions/{session}")

    def write(self, name: str, *cells: str) -> str:
        """Make a notebook of these code cells and return its file's name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.notebooks / f"{name}.ipynb")
        return f"{name}.ipynb"

    def copy(self, notebook: Path) -> str:
        """Copy a notebook, because running changes it, and return its file's name."""
        shutil.copy(notebook, self.notebooks)
        return notebook.name

    def address(self, name: str, *, application: str = "lab/tree") -> str:
        """Where a browser opens a notebook, in JupyterLab, or in Notebook 7 when that is "notebooks"."""
        return f"{self.url}/{application}/{name}?token={self.token}&reset"

    def request(self, method: str, path: str, content: object = None) -> Any:
        """Ask the server's own interface."""
        data = None if content is None else json.dumps(content).encode()
        asked = urllib.request.Request(f"{self.url}/{path}", data=data, method=method)
        asked.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with status {self._process.returncode}")
        try:
            (told,) = self._runtime.glob("jpserver-*.json")
            self.url = json.loads(told.read_text())["url"].rstrip("/")
            self.request("GET", "api/status")
        except (OSError, ValueError):  # nothing is written yet, or half of it, or nothing answers
            return False
        return True


class Notebook:
    """A notebook in a page of the browser; `open` shows another one in the same page.

    Attributes:
        page: The page.
        requests: What the page asked for since `forget`.
        complaints: Errors of the page and of its console, and dialogs, since `forget`.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._url = url
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", self._on_error)
        page.on("console", self._listen)
        page.on("dialog", self._trap)
        page.goto(url)
        self._ready()

    def forget(self) -> None:
        """Begin to note requests and complaints anew."""
        self.requests.clear()
        self.complaints.clear()

    def open(self, name: str, url: str) -> None:
        """Show another notebook in this page, on the kernel of the one before, from which nothing is left."""
        self.page.mouse.move(0, 0)
        self.page.evaluate(_RUN_CODE, _CLEANING)
        self.page.evaluate(_OPEN, name)
        self._url = url

    def theme(self, name: str) -> None:
        """Choose "JupyterLab Light" or another theme."""
        choose_theme(self.page, name)

    def run_all(self) -> None:
        """Run every cell; returns when they were sent, not when they are done."""
        self.page.evaluate(RUN_ALL)

    def run(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells, and return the text that it printed."""
        return self.page.evaluate(_RUN_CODE, code)

    def reload(self) -> None:
        """Save, and load the page again: the kernel goes on."""
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        self.page.goto(self._url)
        self._ready()

    def restart_kernel(self) -> None:
        """End the kernel's process and start a new one, as Restart Kernel does."""
        self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")

    def deafen(self) -> None:
        """Let messages of views wait for the cell that runs, as older kernels and other pages do."""
        self.page.evaluate(_DEAFEN)

    def keep_busy(self) -> None:
        """Run a cell that does not end until `interrupt`."""
        self.page.evaluate(_KEEP_BUSY)

    def interrupt(self) -> None:
        """Interrupt the kernel, as Interrupt Kernel does."""
        self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")

    @property
    def view(self) -> Locator:
        """The widget's frame."""
        return self.page.locator(".jp-OutputArea-output .kq").first

    @property
    def rows(self) -> Locator:
        """The rows that the table shows."""
        return self.view.locator("tbody tr[data-number]")

    @property
    def errors(self) -> list[str]:
        """What cells that failed say."""
        return self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()

    def count(self, name: str) -> Locator:
        """The figure of a counter in the status line."""
        return self.view.locator(".kq-counts > div").filter(has_text=name).locator("dd")

    def button(self, name: str) -> Locator:
        """A button of the view."""
        return self.view.get_by_role("button", name=name, exact=True)

    def _ready(self) -> None:
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")

    def _listen(self, message) -> None:
        if message.type == "error":
            self._note(message.text)

    def _on_error(self, error) -> None:
        frames = [line for line in (error.stack or "").splitlines() if line.strip().startswith("at ")]
        # Lab removes a node of a closed notebook a moment too late; nobody else's code is in that call.
        if not (LATE in error.message and frames and all(LAB_CORE in frame for frame in frames)):
            self._note(error.message)

    def _note(self, complaint: str) -> None:
        if complaint.startswith(OF_LAB):
            return
        if "/notebooks/" not in self._url or complaint not in OF_NOTEBOOK_7:
            self.complaints.append(complaint)

    def _trap(self, dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


# What a test leaves in the kernel: sessions with their brokers, widgets, variables.
_CLEANING = """
from ipywidgets import Widget
try:
    get_ipython().run_line_magic("unload_ext", "kubemq_nb")
finally:
    Widget.close_all()
    get_ipython().reset(new_session=False)
"""

_OPEN = """async (name) => {
    const app = jupyterapp;
    const before = app.shell.currentWidget;
    const {id} = before.sessionContext.session.kernel;
    before.context.model.dirty = false;
    await app.commands.execute('docmanager:open', {path: name, factory: 'Notebook', kernel: {id}});
    before.close();
}"""

_THEME = """async (theme) => {
    const {node} = jupyterapp.shell;  // Lab hides it for a frame, and fades a picture out over it
    const isOver = () => node.checkVisibility() && !document.getElementById('jupyterlab-splash');
    const done = () => document.body.dataset.jpThemeName === theme && isOver();
    await jupyterapp.commands.execute('apputils:change-theme', {theme});
    while (!done()) await new Promise((ready) => setTimeout(ready, 20));
}"""

_DEAFEN = """() => {
    jupyterapp.shell.currentWidget.sessionContext.session.kernel.commsOverSubshells = 'disabled';
}"""

_KEEP_BUSY = """async () => {
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    // The kernel's own status tells of any message, also of one that a view sent before.
    await new Promise((begun) => {
        const future = kernel.requestExecute({code: 'import time; time.sleep(600)', store_history: false});
        future.onIOPub = (message) => message.header.msg_type === 'execute_input' && begun();
    });
}"""

_RUN_CODE = """async (code) => {
    const session = jupyterapp.shell.currentWidget.sessionContext;
    await session.ready;
    const future = session.session.kernel.requestExecute({code, store_history: false});
    let said = '';
    future.onIOPub = (message) => {
        if (message.header.msg_type === 'stream') said += message.content.text;
        if (message.header.msg_type === 'error') said += message.content.evalue;
    };
    await future.done;
    return said;
}"""


def choose_theme(page: Page, name: str) -> None:
    """Choose a theme of Lab by its name, and wait until the page wears it."""
    page.evaluate(_THEME, name)


def wait_until(condition, seconds: float, complaint: str) -> None:
    """Wait for a condition with a deadline."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(complaint)
        time.sleep(0.1)


@contextlib.contextmanager
def opened(browser: Browser, url: str, *, width: int = 1180, scale: int = 1) -> Iterator[Notebook]:
    """A notebook in a page of its own, so many pixels wide, each drawn as `scale` by `scale`."""
    context = browser.new_context(viewport={"width": width, "height": 900}, device_scale_factor=scale)
    context.set_default_timeout(30_000)  # a kernel starts slowly on a busy machine
    try:
        yield Notebook(context.new_page(), url)
    finally:
        context.close()
