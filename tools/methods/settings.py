# SPDX-License-Identifier: Apache-2.0
"""What is asked for, and whether a folder was begun with the same."""
import dataclasses
import hashlib
import json
import os
import pathlib
import re
from typing import Optional

from steps import StepError, write_json


@dataclasses.dataclass
class Settings:
    folder: pathlib.Path
    programs: pathlib.Path  # candor-train, candor-server, candor
    config: pathlib.Path  # a TrainerConfig
    data: str  # "camvid:DIR"
    unknown: Optional[pathlib.Path] = None  # pictures of unknown things
    encoder: Optional[pathlib.Path] = None  # encoder_weights that members start from
    overrides: tuple = ()  # fields over the configuration's
    split: str = "test"
    show: int = 3  # pictures that all models are shown by
    rounds: int = 5  # of the speed measurement
    requests: int = 30  # a model and round
    has_ablations: bool = False
    largest: int = 0  # members of the ablations' largest ensemble; at least those of the others
    only: tuple = ()  # methods; all if empty

    def identity(self) -> dict:
        """What figures depend on; paths by what they hold, where it is small."""
        return {
            "config": hashlib.sha256(self.config.read_bytes()).hexdigest(),
            "overrides": list(self.overrides),
            "data": self.data,
            "split": self.split,
            "unknown": str(self.unknown or ""),
            "encoder": str(self.encoder or ""),
            "show": self.show,
        }

    def value(self, field: str, default: str) -> str:
        """A plain field of the configuration, overrides first."""
        texts = [*reversed(self.overrides), self.config.read_text(encoding="utf-8")]
        for text in texts:
            found = re.search(rf'(?m)^\s*{field}\s*:\s*"?([^"\n#]*?)"?\s*(#.*)?$', text)
            if found:
                return found.group(1)
        return default

    @property
    def members(self) -> int:
        return int(self.value("members", "10"))

    @property
    def epochs(self) -> int:
        return int(self.value("epochs", "200"))

    def data_folder(self) -> pathlib.Path:
        return pathlib.Path(self.data.split(":", 1)[1])


def check_settings(settings: Settings) -> None:
    """Notes the settings in a new folder. StepError: something is missing, or the folder was begun with other ones."""
    for program in ("candor-train", "candor-server", "candor"):
        if not os.access(settings.programs / program, os.X_OK):
            raise StepError(f"{settings.programs / program} is missing: run make build")
    if not re.fullmatch(r"(camvid|cityscapes|voc|folder):.+", settings.data):
        raise StepError(f'METHODS_DATA: must be camvid:DIR, cityscapes:DIR, voc:DIR or folder:DIR, got "{settings.data}"')
    for what, path in (("METHODS_DATA", settings.data_folder()), ("METHODS_OOD", settings.unknown), ("METHODS_ENCODER", settings.encoder)):
        if path and not path.exists():
            raise StepError(f"{what}: {path}: no such file or folder")
    if settings.members < 2:
        raise StepError(f"members: must be at least 2, got {settings.members}")
    noted = settings.folder / "settings.json"
    identity = settings.identity()
    if not noted.exists():
        write_json(noted, identity)
        return
    before = json.loads(noted.read_text(encoding="utf-8"))
    for field, value in identity.items():
        if before.get(field) != value:
            raise StepError(f"{settings.folder}: was begun with another {field} ({before.get(field)}, now {value}): give another METHODS_DIR")
