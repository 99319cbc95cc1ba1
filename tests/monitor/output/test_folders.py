"""Where the report lies: in the run's own folder, one a fit, wherever the logs are."""

from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from tests.fits import Scripted, loader, trainer

from lightning_gapmon import GapCheckpoint, GapMonitor
from lightning_gapmon.logs import find_runs, gapmon_json
from lightning_gapmon.monitor.output.folders import joined

SCRIPT = [3.0, 1.0, 2.0]
pytestmark = pytest.mark.filterwarnings(
    "ignore:Checkpoint directory .* exists and is not:UserWarning"
)


class Own(Logger):
    """A logger with a folder for all of its runs, as those of W&B and MLflow are."""

    def __init__(self, folder: Path | None, version: int | str | None) -> None:
        super().__init__()
        self.folder, self.run = folder, version

    @property
    def save_dir(self) -> str | None:
        """The folder of all runs."""
        return None if self.folder is None else str(self.folder)

    @property
    def name(self) -> str:
        """The project."""
        return "project"

    @property
    def version(self) -> int | str | None:
        """The run."""
        return self.run

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:  # noqa: ANN401
        """Keep nothing."""

    def log_hyperparams(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Keep nothing."""


def _run(root: Path, logger: Any, script: list[float] = SCRIPT, **settings: Any) -> GapMonitor:  # noqa: ANN401
    monitor = GapMonitor(stop=None, summary=False, checkpoint=False)
    settings = {"logger": logger, "max_epochs": len(script), **settings}
    trainer(root, monitor, **settings).fit(Scripted(script), loader(8), loader(4))
    return monitor


def _reports(folder: Path) -> dict[str, list[float]]:
    found = sorted(folder.rglob("gapmon*.json"))
    return {
        path.relative_to(folder).as_posix(): list(gapmon_json.read(path).history.val)
        for path in found
    }


def test_each_run_of_a_logger_has_its_own(tmp_path: Path) -> None:
    """Not at the root, where the next run would write over it; named by Lightning's scheme."""
    _run(tmp_path, Own(tmp_path, "abc"))
    _run(tmp_path, Own(tmp_path, 7), SCRIPT[:2])

    assert _reports(tmp_path) == {
        "project/abc/gapmon.json": SCRIPT,
        "project/version_7/gapmon.json": SCRIPT[:2],
    }


def test_without_a_folder_of_its_own_it_is_beside_the_checkpoints(tmp_path: Path) -> None:
    """As with MLflow and a database: Lightning puts the files into `root/name/version`."""
    _run(tmp_path, Own(None, "abc"), enable_checkpointing=True)

    assert [*_reports(tmp_path)] == ["project/abc/gapmon.json"]
    assert (tmp_path / "project" / "abc" / "checkpoints").is_dir()


def test_where_nobody_named_a_folder_nothing_is_written(tmp_path: Path) -> None:
    """Whoever wants no logger finds the checkpoints alone."""
    _run(tmp_path, False)  # noqa: FBT003
    _run(tmp_path, False, enable_checkpointing=True)  # noqa: FBT003
    _run(tmp_path, Own(None, "abc"))

    assert _reports(tmp_path) == {}


def test_a_folder_of_checkpoints_that_was_named_has_it(tmp_path: Path) -> None:
    """Where the loggers have none."""
    monitor = GapMonitor(
        stop=None, summary=False, checkpoint=GapCheckpoint(dirpath=tmp_path / "kept")
    )
    settings: dict[str, Any] = {"logger": Own(None, "abc"), "enable_checkpointing": True}
    trainer(tmp_path, monitor, **settings).fit(Scripted(SCRIPT), loader(8), loader(4))

    assert [*_reports(tmp_path)] == ["kept/gapmon.json"]


def test_with_several_loggers_it_is_where_the_link_points(tmp_path: Path) -> None:
    """That is TensorBoard's folder, wherever it stands in the list."""
    loggers = [CSVLogger(tmp_path / "csv"), TensorBoardLogger(tmp_path / "board")]
    monitor = _run(tmp_path, loggers)
    (path,) = tmp_path.rglob("gapmon.json")
    assert monitor.outcome is not None

    assert str(path.parent) == monitor.outcome.log_dir == loggers[1].log_dir


def test_each_fit_of_a_trainer_has_its_own(tmp_path: Path) -> None:
    """With a number, and the reader finds both."""
    monitor = GapMonitor(stop=None, summary=False, checkpoint=False)
    runner = trainer(tmp_path, monitor, logger=CSVLogger(tmp_path), max_epochs=3)
    module = Scripted([3.0, 1.0, 2.0, 5.0, 4.0])
    runner.fit(module, loader(8), loader(4))
    runner.fit_loop.max_epochs = 5
    runner.fit(module, loader(8), loader(4))

    assert [*_reports(tmp_path).values()] == [[5.0, 4.0], [3.0, 1.0, 2.0]]
    found = find_runs([tmp_path]).runs
    assert sorted([*run.history.val] for run in found) == [[3.0, 1.0, 2.0], [5.0, 4.0]]


def test_a_resumed_run_goes_on_in_its_own(tmp_path: Path) -> None:
    """It is the same fit: no second file beside a first that ends earlier."""
    logger = CSVLogger(tmp_path, version="run")
    monitor = GapMonitor(stop=None, summary=False)
    runner = trainer(tmp_path, monitor, logger=logger, max_epochs=3, enable_checkpointing=True)
    runner.fit(Scripted(SCRIPT), loader(8), loader(4))
    module = Scripted([*SCRIPT, 4.0])
    module.at = 3
    resumed = GapMonitor(stop=None, summary=False)
    again = trainer(tmp_path, resumed, logger=logger, max_epochs=4, enable_checkpointing=True)
    again.fit(module, loader(8), loader(4), ckpt_path="last")

    assert [*_reports(tmp_path).values()] == [[3.0, 1.0, 2.0, 4.0]]


def test_a_file_that_is_no_report_is_left_alone(tmp_path: Path) -> None:
    """It may be anyone's."""
    folder = tmp_path / "project" / "abc"
    folder.mkdir(parents=True)
    (folder / "gapmon.json").write_text("mine")
    _run(tmp_path, Own(tmp_path, "abc"))

    assert (folder / "gapmon.json").read_text() == "mine"
    assert list(gapmon_json.read(folder / "gapmon-1.json").history.val) == SCRIPT


def test_a_remote_folder_has_it_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind its URL, one a fit; and no local folder of that name."""
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    monkeypatch.chdir(tmp_path)
    logger = TensorBoardLogger("memory://logs", version="run")
    _run(tmp_path, logger)
    _run(tmp_path, logger, SCRIPT[:2])
    found = find_runs(["memory://logs"]).runs

    assert sorted([*run.history.val] for run in found) == [SCRIPT[:2], SCRIPT]
    assert [path for path in tmp_path.rglob("*") if "memory" in path.name] == []


def test_names_are_joined_to_a_url() -> None:
    """As they are to a folder."""
    assert joined("memory://a/", "b", "c") == "memory://a/b/c"
    assert joined("a", "b") == str(Path("a", "b"))
