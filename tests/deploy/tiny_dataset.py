# SPDX-License-Identifier: Apache-2.0
"""A data set that a small network trains on in seconds: green meadows of 32x32 with a red barn somewhere."""
import json
import pathlib
import random
import struct
import zlib

SIDE = 32
BARN = 16


def write_tiny_dataset(folder: pathlib.Path, training: int = 4, validation: int = 2) -> None:
    """Writes a "folder:" data set with the splits train and val."""
    numbers = random.Random(1)
    for split, pictures in (("train", training), ("val", validation)):
        for kind in ("images", "masks"):
            (folder / kind / split).mkdir(parents=True)
        for index in range(pictures):
            image, mask = _farm(numbers)
            (folder / "images" / split / f"farm{index}.png").write_bytes(_png(image, colour_type=2))
            (folder / "masks" / split / f"farm{index}.png").write_bytes(_png(mask, colour_type=0))
    classes = [{"name": "meadow", "colour": [0, 128, 0]}, {"name": "barn", "colour": [200, 0, 0]}]
    (folder / "classes.json").write_text(json.dumps({"classes": classes}))


def _farm(numbers: random.Random) -> tuple[list[bytes], list[bytes]]:
    """Rows of RGB, and of class indices."""
    left, top = (numbers.randint(1, SIDE - BARN - 1) for _ in range(2))
    image, mask = [], []
    for y in range(SIDE):
        row = [int(left <= x < left + BARN and top <= y < top + BARN) for x in range(SIDE)]
        red_green = [((20, 60), (120, 180)), ((160, 220), (20, 60))]
        image.append(bytes(numbers.randint(*span) for barn in row for span in (*red_green[barn], (30, 70))))
        mask.append(bytes(row))
    return image, mask


def _png(rows: list[bytes], colour_type: int) -> bytes:
    """colour_type: 0 grey, 2 RGB; 8 bits a channel."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", SIDE, len(rows), 8, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
