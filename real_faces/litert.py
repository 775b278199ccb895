"""TFLite files, read and run by LiteRT, the runtime that they were published for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Operation:
    """One operation of a graph: its name in TFLite's schema, and its constants by input."""

    name: str
    constants: dict[int, np.ndarray]


def operations(path: Path) -> Iterator[Operation]:
    """What the file computes, in order, with the constants as float32 where they are numbers.

    Half floats and sparse tensors are unpacked by LiteRT; the operations that ask for it are left
    out.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    interpreter = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    interpreter.invoke()
    constant = {
        number
        for number, tensor in enumerate(graph.tensors)
        if model.buffers[tensor.buffer].data is not None
    }
    for operation in graph.operators:
        code = model.operatorCodes[operation.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs = [int(number) for number in operation.inputs]
        if name in ("DEQUANTIZE", "DENSIFY") and inputs[0] in constant:
            constant.update(int(number) for number in operation.outputs)
            continue
        values = {
            place: interpreter.get_tensor(number).copy()
            for place, number in enumerate(inputs)
            if number in constant
        }
        yield Operation(name, values)


class LiteRTNetwork(torch.nn.Module):
    """A TFLite file as a module: (N, …) float32 in, each output in the file's order out."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter: Any = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        # ComfyUI's page asks for faces beside the prompt that runs.
        self.lock = threading.Lock()

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows = [self._one(row) for row in inputs.detach().cpu().float().split(1)]
        return tuple(torch.cat(output).to(inputs.device) for output in zip(*rows, strict=True))

    def _one(self, row: torch.Tensor) -> list[torch.Tensor]:
        with self.lock:
            self.interpreter.set_tensor(
                self.interpreter.get_input_details()[0]["index"], row.contiguous().numpy()
            )
            self.interpreter.invoke()
            found = [
                self.interpreter.get_tensor(output["index"])
                for output in self.interpreter.get_output_details()
            ]
        # The blendshapes come without the axis of the batch.
        return [torch.from_numpy(one if one.ndim > 1 else one[None]) for one in found]
