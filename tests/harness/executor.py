"""Prompts executed by ComfyUI's own validator and executor, in this process."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import execution
import folder_paths
import server

Prompt = dict[str, dict[str, Any]]

# ComfyUI runs an event loop for each prompt, which the thread of the tests cannot: Playwright keeps
# one running there.
THREAD = ThreadPoolExecutor(1, "executor")


class NodeError(Exception):
    """A node raised: `str()` is its message, without the traceback."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(report["exception_message"].strip())
        self.node_id: str = report["node_id"]
        self.node_type: str = report["node_type"]
        self.traceback = "".join(report["traceback"])


class InvalidPrompt(Exception):
    """ComfyUI refused the prompt before anything ran; `errors` are its node errors."""

    def __init__(self, error: dict[str, Any], errors: dict[str, Any]) -> None:
        details = [e["details"] or e["message"] for n in errors.values() for e in n["errors"]]
        super().__init__("; ".join(details) or error["message"])
        self.errors = errors


class Interrupted(Exception):
    """The run was cancelled."""


@dataclass(frozen=True)
class Result:
    """What a prompt left behind: each node's outputs and what it showed in the page."""

    values: dict[str, list[list[Any]]]
    ui: dict[str, dict[str, list[Any]]]
    cached: frozenset[str]

    def value(self, node_id: str, output: int = 0) -> Any:
        """The first (for a list output: the only) value of an output."""
        return self.values[node_id][output][0]

    def list(self, node_id: str, output: int = 0) -> list[Any]:
        """All values of a list output."""
        return self.values[node_id][output]


class Executor:
    """ComfyUI in this process, over `folder/input` and `folder/output`; outputs stay cached.

    Use as a context manager: ComfyUI's folders are put back on leaving.
    """

    def __init__(
        self,
        folder: Path,
        cache: execution.CacheType = execution.CacheType.CLASSIC,
        **sizes: float,
    ) -> None:
        self.input = folder / "input"
        self.output = folder / "output"
        self.temp = folder / "temp"
        self.executor = execution.PromptExecutor(
            server.PromptServer.instance,
            cache_type=cache,
            cache_args={"lru": 0, "ram": 0, "ram_inactive": 0} | sizes,
        )

    def __enter__(self) -> Executor:
        for folder in (self.input, self.output, self.temp):
            folder.mkdir(exist_ok=True)
        self.before = (
            folder_paths.get_input_directory(),
            folder_paths.get_output_directory(),
            folder_paths.get_temp_directory(),
        )
        self.use_folders(str(self.input), str(self.output), str(self.temp))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.use_folders(*self.before)

    def use_folders(self, input_folder: str, output_folder: str, temp_folder: str) -> None:
        folder_paths.set_input_directory(input_folder)
        folder_paths.set_output_directory(output_folder)
        folder_paths.set_temp_directory(temp_folder)

    def run(self, prompt: Prompt, outputs: list[str] | None = None) -> Result:
        """Validate and execute `prompt` (API format); `outputs` picks some of its output nodes.

        Raises InvalidPrompt, NodeError or Interrupted.
        """
        return THREAD.submit(self._run, prompt, outputs).result()

    def _run(self, prompt: Prompt, outputs: list[str] | None) -> Result:
        prompt_id = str(uuid.uuid4())
        valid, error, wanted, errors = asyncio.run(
            execution.validate_prompt(prompt_id, prompt, outputs)
        )
        if not valid or errors:
            raise InvalidPrompt(error or {"message": "Some outputs are invalid."}, errors)
        self.executor.execute(prompt, prompt_id, {}, wanted)
        cached: frozenset[str] = frozenset()
        for event, data in self.executor.status_messages:
            if event == "execution_error":
                raise NodeError(data)
            if event == "execution_interrupted":
                raise Interrupted(data["node_id"])
            if event == "execution_cached":
                cached = frozenset(data["nodes"])
        shown = self.executor.history_result["outputs"]
        return Result(asyncio.run(self.values(prompt)), shown, cached)

    async def values(self, prompt: Prompt) -> dict[str, list[list[Any]]]:
        entries = {key: await self.executor.caches.outputs.get(key) for key in prompt}
        return {key: entry.outputs for key, entry in entries.items() if entry is not None}
