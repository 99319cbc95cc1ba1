"""Lightning's two packages, of which either will do, and what is derived from each there is."""

import logging
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from lightning_utilities.core import rank_zero

ATTACHED = ("log", "log_dict")  # to every callback of a Trainer; 2.4.0 and 2.6.6

if TYPE_CHECKING:
    from lightning.pytorch import Callback
    from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar

    RICH_BARS: tuple[type[RichProgressBar], ...]
    PACKAGE: str  # the Lightning that the user imported, else the one that is there

    class MonitorBase(Callback):
        """The base of the monitor, by which its checkpoint and its like find it."""

        def __getstate__(self) -> dict[str, object]: ...

    class CheckpointBase(ModelCheckpoint):
        """The base of the monitor's checkpoint."""

else:

    def _is_there(name: str) -> bool:
        """Tell whether a package can be imported; `find_spec` raises where its parent is not."""
        return find_spec(name.partition(".")[0]) is not None and find_spec(name) is not None

    def _import_all() -> tuple[str, list[ModuleType]]:
        """Import both packages, or the one that is there; name the one that the user imported.

        Each sets the logger of `lightning_utilities` for itself, 2.4.0 and 2.6.6: the messages
        are left to the user's.

        Raises:
            ModuleNotFoundError: There is neither.
        """
        both = ("lightning.pytorch", "pytorch_lightning")
        imported = [name for name in both if name in sys.modules]  # looking for one imports it
        names = [name for name in both if _is_there(name)]
        if not names:
            msg = (
                "Found neither lightning nor pytorch_lightning in this environment; expected one "
                "of them, whose Trainer is watched. Install it: pip install lightning"
            )
            raise ModuleNotFoundError(msg, name="lightning")
        users = (imported or names)[0]
        homes = [import_module(f"{name}.callbacks") for name in names]
        rank_zero.log = logging.getLogger(f"{users}.utilities.rank_zero")
        return users, homes

    PACKAGE, _HOMES = _import_all()

    def _in_each_package(name: str) -> tuple[type, ...]:
        return tuple(getattr(home, name) for home in _HOMES)

    # `lightning.pytorch` and `pytorch_lightning` are separate copies with separate base classes;
    # a class that derives from each that is there is known to its Trainer and its LightningCLI.
    class MonitorBase(*_in_each_package("Callback")):
        """The base of the monitor, by which its checkpoint and its like find it."""

        def __getstate__(self) -> dict[str, object]:
            """Leave the module out of copies and pickles.

            It is in the `log` and `log_dict` that are put on every callback when it is attached.
            """
            return {name: part for name, part in vars(self).items() if name not in ATTACHED}

    class CheckpointBase(*_in_each_package("ModelCheckpoint")):
        """The base of the monitor's checkpoint."""

    RICH_BARS = _in_each_package("RichProgressBar")
