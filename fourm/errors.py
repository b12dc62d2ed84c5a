"""The errors of `fourm`."""

from __future__ import annotations


class FourmError(Exception):
    """Base of every error raised on purpose by `fourm`.

    Args:
        reason: what is wrong, and how to fix it.
        where: the file, the field or the input that it is about; None: the reason says it.

    Attributes:
        reason, where: these. The message is "where: reason", or the reason alone.
    """

    def __init__(self, reason: object = "", *, where: object = None) -> None:
        self.reason = str(reason)
        self.where = None if where is None else str(where)
        super().__init__(self.reason if where is None else f"{where}: {self.reason}")


class ModelNotFound(FourmError):
    """There is no bundled model, official model, local folder or hub repository of a name."""


class DownloadFailed(FourmError):
    """A model could not be downloaded: no network, a broken connection, no space, a wrong hash."""


class CheckpointError(FourmError):
    """A checkpoint file is missing, damaged or not what its name says."""


class ConfigError(CheckpointError):
    """A config field is missing, of the wrong type or out of range."""


class TensorMismatch(CheckpointError):
    """The tensors of a file are not the tensors of the model; lists every difference.

    Attributes:
        unknown: names in the file that the model does not have.
        missing: names of the model that the file does not have.
        wrong: sentences about tensors whose shape or dtype is not the model's.
    """

    def __init__(
        self, path: object, unknown: list[str], missing: list[str], wrong: list[str]
    ) -> None:
        self.unknown, self.missing, self.wrong = unknown, missing, wrong
        parts = [
            f"{title}: {_listing(names)}"
            for title, names in (
                ("missing tensors", missing),
                ("unknown tensors", unknown),
                ("wrong tensors", wrong),
            )
            if names
        ]
        super().__init__(f"{path} does not fit the model its config describes; " + "; ".join(parts))


class UnknownModality(FourmError):
    """A modality that a model does not read, predict or know."""


class UnknownSpace(FourmError):
    """An embedding space that a model does not have."""


class BadInput(FourmError):
    """An input that cannot be given to the model: empty, of a wrong type, shape or range."""


def _listing(names: list[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
