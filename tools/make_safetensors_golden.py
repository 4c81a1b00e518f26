#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/python.safetensors with the format's own Python package, or checks a file of ours with it.

    pip install safetensors==0.8.0 numpy
    tools/make_safetensors_golden.py                # writes the golden file
    tools/make_safetensors_golden.py --read FILE    # prints what the package reads
"""
import argparse
import ctypes
import pathlib
import struct

import safetensors

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "python.safetensors"


def write() -> None:
    tensors = {
        "weight": ("float32", [2, 3], struct.pack("<6f", 0.5, -1.25, 3.0, 1e-3, -65504.0, 2.0**-126)),
        "half": ("float16", [3], struct.pack("<3e", 1.0, -0.333251953125, 65504.0)),
        # The upper halves of the float32 patterns of 1, -2 and 3.140625.
        "brain": ("bfloat16", [3, 1], struct.pack("<3H", 0x3F80, 0xC000, 0x4049)),
        "steps": ("int64", [], struct.pack("<q", -1234567890123)),
        "bytes": ("uint8", [2, 2], bytes([0, 1, 127, 255])),
        "empty": ("float32", [0, 4], b""),
        "größe": ("float32", [1], struct.pack("<f", 7.0)),
    }
    buffers = {name: ctypes.create_string_buffer(data, max(len(data), 1)) for name, (_, _, data) in tensors.items()}
    specs = {
        name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffers[name]), data_len=len(data))
        for name, (dtype, shape, data) in tensors.items()
    }
    GOLDEN.write_bytes(safetensors.serialize(specs, {"note": 'quote " and newline \n'}))


def read(path: pathlib.Path) -> None:
    with safetensors.safe_open(path, framework="np") as file:
        print("metadata", file.metadata())
    for name, entry in safetensors.deserialize(path.read_bytes()):
        print(name, entry["dtype"], entry["shape"], bytes(entry["data"][:32]).hex())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--read", type=pathlib.Path)
    arguments = parser.parse_args()
    read(arguments.read) if arguments.read else write()
