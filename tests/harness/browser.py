"""ComfyUI's real page in Chromium, driven from Python."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import playwright.sync_api as playwright

from facet.launcher.testing import find_browser
from harness.comfy_server import ComfyServer

# The page has a graph of its own to begin with, which would come in the place of any other.
READY = """() => window.app?.extensionManager?.workflow?.activeWorkflow
    && Object.keys(window.LiteGraph?.registered_node_types ?? {}).length > 100"""
RENDERER = "Comfy.VueNodes.Enabled"
PATIENCE = 180_000
"""How long the page may take for anything, in ms: it may share a core with a training."""
CLEAR = """async (empty) => {
    for (const close of document.querySelectorAll(
        ".p-toast-close-button, [data-swipe-direction] button:last-of-type, "
            + ".p-dialog-close-button, .facet-viewer .close",
    )) {
        close.click();
    }
    app.canvas.setGraph(app.graph);
    app.canvas.deselectAll();
    await app.loadGraphData(empty);
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
}"""
EMPTY = {"version": 0.4, "nodes": [], "links": [], "last_node_id": 0, "last_link_id": 0}
CORNER = """(id) => {
    const drawn = document.querySelector(`.lg-node[data-node-id="${id}"]`)?.getBoundingClientRect();
    if (drawn) return [drawn.right - 2, drawn.bottom - 2];
    const { pos, size } = app.graph.getNodeById(id);
    const { scale, offset } = app.canvas.ds;
    const { left, top } = app.canvas.canvas.getBoundingClientRect();
    const [x, y] = [0, 1].map((axis) => (pos[axis] + size[axis] + offset[axis]) * scale);
    return [left + x - 4, top + y - 4];
}"""
OF_THE_FRONT_END = (
    "Content Security Policy",
    "Invalid layout total size",
    "[appModeStore] dropping legacy selectedInput",
)
"""What ComfyUI's page says of itself: without API nodes it may ask nobody about models, and a newer
one looks for an app's inputs in the graph that is loaded after it."""
NO_TROUBLE = "(selector) => !document.querySelector(selector)"
TOAST = ".p-toast-message, [data-swipe-direction]"
"""A message in a corner of the page, in the markup of each front end."""
TROUBLE = f'[data-testid="error-overlay"], {TOAST}, .p-dialog, [data-reka-dialog-content]'

MAKE_AND_CONNECT = """
    const make = (type, x, widgets = {}) => {
        const node = LiteGraph.createNode(type);
        app.graph.add(node);
        node.pos = [x, 80];
        for (const [name, value] of Object.entries(widgets)) {
            node.widgets.find((widget) => widget.name === name).value = value;
        }
        return node;
    };
    const connect = (from, output, to, input = output) => from.connect(
        from.outputs.findIndex((slot) => slot.name === output),
        to,
        to.inputs.findIndex((slot) => slot.name === input),
    );
    const smallStudio = (models, x) => {
        const studio = make("FacetStudio", x, {
            reference_mode: "reference_latents", steps: 1, cfg: 1, width: 64, height: 64,
        });
        for (const part of ["model", "clip", "vae"]) {
            connect(models, part.toUpperCase(), studio, part);
        }
        return studio;
    };
"""
"""JavaScript for the beginning of a function: `make` a node, `connect` an output to an input."""


class Page:
    """ComfyUI's page, ready to be driven; `page` is Playwright's own."""

    def __init__(
        self, page: playwright.Page, server: ComfyServer, vue: bool, settings: dict[str, Any]
    ) -> None:
        self.page = page
        self.server = server
        self.vue = vue
        self.settings = settings
        self.messages: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self.listen)
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))

    def listen(self, message: playwright.ConsoleMessage) -> None:
        of_its_own = any(its in message.text for its in OF_THE_FRONT_END)
        if message.type in ("warning", "error") and not of_its_own:
            where = message.location.get("url", "")
            self.messages.append(f"{message.type}: {message.text} ({where})")

    def open(self) -> None:
        """Open ComfyUI in it, or open it anew, and wait until it can be used."""
        # The server keeps one set for all pages, and a page reads them as it begins.
        self.server.client.post("/settings", self.settings)
        self.page.goto(self.server.address, wait_until="domcontentloaded")
        self.page.wait_for_function(READY)
        self.settle()

    def show(self, vue: bool) -> None:
        """Draw nodes with the other renderer from now on."""
        self.vue = self.settings[RENDERER] = vue
        self.run("([name, on]) => app.extensionManager.setting.set(name, on)", [RENDERER, vue])
        self.page.wait_for_function("(on) => Boolean(LiteGraph.vueNodesMode) === on", arg=vue)
        self.settle()

    def clear(self) -> None:
        """An empty graph, seen from its origin, and nothing said."""
        self.page.keyboard.press("Escape")
        self.run(CLEAR, EMPTY | {"id": str(uuid.uuid4())})
        self.settle()
        # What the page said of the graph before goes with that graph.
        self.page.wait_for_function(NO_TROUBLE, arg=TROUBLE)
        self.messages.clear()

    def forget(self) -> None:
        """Has the page know nothing of its graph: opened anew once, as that takes ten seconds."""
        if self.vue:
            self.open()
            self.clear()
        else:
            self.run("() => app.graph.clear()")

    def run(self, script: str, argument: Any = None) -> Any:
        """The value of a JavaScript function called in the page with `argument`."""
        return self.page.evaluate(script, argument)

    def load(self, workflow: dict[str, Any] | Path, app: bool = False) -> None:
        """Load a workflow as if it had been dropped on the page, as a graph or as an ``app``."""
        if isinstance(workflow, Path):
            workflow = json.loads(workflow.read_text("utf-8"))
        extra = (workflow.get("extra") or {}) | {"linearMode": app}
        self.run("(graph) => app.loadGraphData(graph)", workflow | {"extra": extra})
        self.settle()

    def settle(self) -> None:
        """Wait until the page has drawn what it was told."""
        self.run("() => new Promise(r => requestAnimationFrame(() => setTimeout(r, 300)))")

    def drag_corner(self, node: str, by: int) -> None:
        """Make a node taller by its lower right corner, as a person does; by in px."""
        x, y = self.run(CORNER, node)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x, y + by / 2)
        self.page.mouse.move(x, y + by)
        self.page.mouse.up()
        self.settle()

    def prompt(self) -> dict[str, Any]:
        """The prompt that the page would queue."""
        prompt: dict[str, Any] = self.run("async () => (await app.graphToPrompt()).output")
        return prompt

    def saved(self) -> dict[str, Any]:
        """The workflow as the page would save it."""
        # As text: what is undefined in the page would otherwise arrive here as None.
        workflow: dict[str, Any] = json.loads(
            self.run("() => JSON.stringify(app.graph.serialize())")
        )
        return workflow

    def queue(self, timeout: float = 600) -> dict[str, Any]:
        """Queue what is on the page and wait; the entry of /history. timeout in seconds."""
        before = set(self.server.client.get("/history"))
        assert self.run("async () => await app.queuePrompt(0, 1)"), "the page did not queue it"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            history: dict[str, Any] = self.server.client.get("/history")
            for prompt_id in history.keys() - before:
                return dict(history[prompt_id])
            # Playwright's own wait keeps the page's events coming in.
            self.page.wait_for_timeout(100)
        raise TimeoutError(f"The run did not end within {timeout:.0f} s.")

    def troubles(self) -> list[str]:
        """What the page complains about: overlays, toasts, dialogs, and its console since ready."""
        shown = [element.inner_text() for element in self.page.locator(TROUBLE).all()]
        return [*shown, *self.messages]

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=str(path))


class Browser:
    """One headless Chromium; a context manager."""

    def __enter__(self) -> Browser:
        executable = find_browser()
        if executable is None:
            raise RuntimeError("There is no Chromium; install one, or set CHROMIUM_PATH.")
        self.playwright = playwright.sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox"]
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.browser.close()
        self.playwright.stop()

    @contextmanager
    def open(
        self, server: ComfyServer, vue: bool, settings: dict[str, Any] | None = None
    ) -> Iterator[Page]:
        """The page of `server` in one of the two renderers, with an empty graph and no messages."""
        wanted = {
            RENDERER: vue,
            "Comfy.Validation.Workflows": True,
            "Comfy.TutorialCompleted": True,
            "Comfy.OnboardingCoachmarks.Seen": ["appMode", "firstRun"],
            "Comfy.Workflow.Persist": False,
            **(settings or {}),
        }
        # Half of what is drawn would be pictures on the way from one state to the next.
        context = self.browser.new_context(
            viewport={"width": 1600, "height": 1000}, reduced_motion="reduce"
        )
        try:
            page = Page(context.new_page(), server, vue, wanted)
            page.open()
            page.clear()
            yield page
        finally:
            context.close()


class Pages:
    """The page of a server, kept open and switched between renderers; a context manager."""

    def __init__(self, browser: Browser, server: ComfyServer) -> None:
        self.browser = browser
        self.server = server
        self.stack = ExitStack()
        self.opened: Page | None = None

    def __enter__(self) -> Pages:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the page; whoever needs it opens it again."""
        self.opened = None
        self.stack.close()

    def cleared(self, vue: bool) -> Page:
        """The page in that renderer, with an empty graph."""
        page = self.opened
        if page is None:
            page = self.opened = self.stack.enter_context(self.browser.open(self.server, vue))
            return page
        for other in page.page.context.pages:
            if other != page.page:
                other.close()
        try:
            if page.vue != vue:
                page.show(vue)
            page.clear()
        except playwright.Error:
            # The test before left it in a state that has no way back.
            page.open()
            page.clear()
        return page
