# SPDX-License-Identifier: Apache-2.0
"""A folder for `candor-train evaluate --unknown` out of pictures that are unknown as a whole, beside known ones."""
import pathlib
import shutil
import struct
import zlib

from steps import StepError

_SUFFIXES = (".jpg", ".jpeg", ".png")
_MOST_PICTURES = 16  # of each; each is asked of every model


def pictures_in(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def evenly(items: list, count: int) -> list:
    """At most `count` of them, from the whole list."""
    if len(items) <= count:
        return items
    return [items[i * len(items) // count] for i in range(count)]


def picture_size(path: pathlib.Path) -> tuple[int, int]:
    """Width and height, from the header of a JPEG or PNG."""
    data = path.read_bytes()
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return struct.unpack(">II", data[16:24])
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data):
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise StepError(f"{path}: is neither a JPEG nor a PNG")


def write_mask(path: pathlib.Path, width: int, height: int, value: int) -> None:
    """An 8-bit grey PNG of one value."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([value]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def has_masks(folder: pathlib.Path) -> bool:
    return any((folder / name).is_dir() for name in ("labels", "labels_masks"))


def known_pictures(data: str, split: str) -> list[pathlib.Path]:
    scheme, root = data.split(":", 1)
    root = pathlib.Path(root)
    folders = {"camvid": [root / split / "images", root / split], "folder": [root / "images" / split]}
    for folder in folders.get(scheme, []):
        if pictures_in(folder):
            return pictures_in(folder)
    return sorted((root / "leftImg8bit" / split).rglob("*.png")) if scheme == "cityscapes" else []


def make_unknown_set(source: pathlib.Path, data: str, split: str, out: pathlib.Path) -> None:
    """`source` holds pictures, itself, below images/ or below far-ood/images/. StepError: no pictures of one of the two."""
    unknown = next((found for place in ("images", "far-ood/images", ".") if (found := pictures_in(source / place))), [])
    known = known_pictures(data, split)
    if not unknown:
        raise StepError(f"METHODS_OOD: {source}: no pictures there, in images/ or in far-ood/images/")
    if not known:
        raise StepError(f"METHODS_OOD: {data}: pictures of its split {split} to compare with are not found; give a folder with masks")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for place in ("images", "labels"):
        (partial / place).mkdir(parents=True)
    for prefix, value, pictures in (("unknown", 1, unknown), ("known", 0, known)):
        for path in evenly(pictures, _MOST_PICTURES):
            name = f"{prefix}-{path.stem}"
            shutil.copyfile(path, partial / "images" / f"{name}{path.suffix}")
            write_mask(partial / "labels" / f"{name}.png", *picture_size(path), value)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
