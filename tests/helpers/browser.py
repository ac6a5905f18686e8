"""Chromium and JupyterLab, driven from the tests: find the one, start the other, run a notebook in both."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera with a test pattern
NOT_RUN = "The browser tests did not run: no Chromium was found (install one, or set CHROMIUM to its path)."


def find_chromium() -> str | None:
    """Return the path of the browser, $CHROMIUM first."""
    return next(filter(None, map(shutil.which, [os.environ.get("CHROMIUM", ""), *NAMES])), None)


def watch(page):
    """Collect what a page must not do: errors in its console, and requests that leave this machine."""
    seen = []

    def on_request(request):
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:")):
            seen.append(f"request to {request.url}")

    page.on("request", on_request)
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on("console", lambda message: seen.append(f"console: {message.text}") if message.type == "error" else None)
    return seen


class JupyterLab:
    """A JupyterLab server with settings and runtime files of its own: `with JupyterLab(folder, scratch) as lab`."""

    def __init__(self, folder: Path, scratch: Path):
        self.folder, self.scratch, self.token = folder, scratch, secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def __enter__(self):
        settings = self.scratch / "settings" / "@jupyterlab"
        for name, text in {
            # JupyterLab takes cells that are off the screen out of the page, where no test would find them
            "notebook-extension/tracker": '{"windowingMode": "none"}',
            "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
        }.items():
            path = settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(text, "utf8")
        places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        places |= {
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "spaces",
        }
        environment = {**os.environ, "JUPYTER_TOKEN": self.token}
        environment |= {key: str(self.scratch / name) for key, name in places.items()}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
        command += ["--ServerApp.ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0"]
        self.log = open(self.scratch / "log", "w+b")
        self.process = subprocess.Popen(
            [*command, f"--ServerApp.root_dir={self.folder}"], env=environment, stdout=self.log, stderr=self.log
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("JupyterLab did not start:\n" + (self.scratch / "log").read_text()[-3000:])
            time.sleep(0.25)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/status?token={self.token}", timeout=2)
        except OSError:
            return False

    def open(self, page, notebook: str):
        """Open a notebook of the folder and wait until its cells show."""
        page.goto(f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        # A server that is stopped while it starts a kernel takes half a minute to end.
        in_notebook(page, CONNECTED)


def in_notebook(page, script: str, seconds: float = 60):
    """Run asynchronous JavaScript that sees the open notebook as `panel`; return what it returns."""
    page.evaluate(
        """script => { window.result = undefined; (async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            await panel.context.ready;
            const run = new (Object.getPrototypeOf(async () => {}).constructor)("panel", script);
            return {value: await run(panel)};
        })().then(r => window.result = r, e => window.result = {error: String(e)}); }""",
        script,
    )
    page.wait_for_function("() => window.result", timeout=seconds * 1000)  # evaluate() itself knows no time limit
    result = page.evaluate("() => window.result")
    assert "error" not in result, result["error"]
    return result.get("value")


# The toolbar shows an idle kernel before one is connected, and Run All is then lost without a word.
CONNECTED = """
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session.kernel;
    await kernel.info;
    while (kernel.connectionStatus !== "connected") await new Promise(later => setTimeout(later, 50));
"""

RUN_ALL = """
    await window.jupyterapp.commands.execute("notebook:run-all-cells");
    return panel.content.widgets.filter(cell => cell.model.type === "code").map(cell => ({
        source: cell.model.sharedModel.getSource(), count: cell.model.executionCount,
        errors: cell.model.outputs.toJSON().filter(o => o.output_type === "error").map(o => o.ename + ": " + o.evalue),
    }));
"""


def run_all(page, seconds: float = 900):
    """Run all cells; fail where one did not run or shows an error."""
    cells = in_notebook(page, RUN_ALL, seconds)
    wrong = [cell for cell in cells if cell["errors"] or not cell["count"]]
    assert cells and not wrong, wrong
