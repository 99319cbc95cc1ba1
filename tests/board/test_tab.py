"""The Gap tab's routes, in process: what TensorBoard would answer to the browser."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend import application
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins import base_plugin
from tests.curves import good, u_shape
from tests.event_logs import PER_EPOCH, plain_log, write_scalars
from werkzeug.test import Client, TestResponse

from lightning_gapmon import History, diagnose
from lightning_gapmon.analysis.run_document import Beside, run_document
from lightning_gapmon.board.state import state_summary
from lightning_gapmon.board.tab import GapTabLoader
from lightning_gapmon.board.tab_document import judged
from lightning_gapmon.report.theme import WEB

HOSTILE = "<img src=x onerror=alert(1)>"
Get = Callable[..., TestResponse]


def _serve(folder: Path) -> Get:
    """Put the tab into a TensorBoard on a folder, read by its Python loader."""
    events = plugin_event_multiplexer.EventMultiplexer()
    provider = data_provider.MultiplexerDataProvider(events, str(folder))
    tab = GapTabLoader().load(
        base_plugin.TBContext(data_provider=provider, logdir=str(folder), multiplexer=events)
    )
    client = Client(application.TensorBoardWSGI([tab], data_provider=provider))

    def get(path: str, **query: Any) -> TestResponse:  # noqa: ANN401 - whatever a route takes
        events.AddRunsFromDirectory(str(folder))
        events.Reload()
        return client.get(f"/data/{path}", query_string=query)

    return get


def _json(response: TestResponse) -> Any:  # noqa: ANN401 - any JSON
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    return json.loads(response.get_data())


def _document(get: Get, run: str) -> dict[str, Any]:
    found: dict[str, Any] = _json(get("plugin/gapmon/documents", run=run))[run]
    return found


def test_the_wheel_brings_the_tab() -> None:
    """TensorBoard finds the tab by the entry point of the package that was installed."""
    found = {point.name: point for point in entry_points(group="tensorboard_plugins")}

    assert found["gapmon"].load() is GapTabLoader


def test_the_tab_is_there_once_a_run_has_a_validation_loss(tmp_path: Path) -> None:
    """Without one the tab stays away; with one it is listed, and stays."""
    write_scalars(tmp_path / "other", {"reward": [(1, 2.0)]})
    get = _serve(tmp_path)

    assert not _json(get("plugins_listing"))["gapmon"]["enabled"]
    plain_log(tmp_path / "run")
    assert _json(get("plugins_listing"))["gapmon"]["enabled"]
    assert _json(get("plugins_listing"))["gapmon"]["tab_name"] == "Gap"


def test_scripts_come_from_the_tab_alone(tmp_path: Path) -> None:
    """TensorBoard's frame around the tab runs nothing from elsewhere."""
    entry = _serve(tmp_path)("plugin_entry.html", name="gapmon")

    assert b"static/index.js" in entry.get_data()
    assert "script-src 'self'" in entry.headers["Content-Security-Policy"]


def test_every_file_is_served_as_what_it_is(tmp_path: Path) -> None:
    """Modules and styles arrive with a type that browsers run, whatever the system says."""
    get = _serve(tmp_path)
    types = {".js": "text/javascript", ".css": "text/css"}
    files = [path for path in WEB.rglob("*") if path.suffix in types]

    assert {"index.js", "uPlot.esm.js", "style.css"} <= {path.name for path in files}
    for path in files:
        served = get(f"plugin/gapmon/static/{path.relative_to(WEB).as_posix()}")
        assert served.mimetype == types[path.suffix]
        assert served.get_data() == path.read_bytes()


@pytest.mark.parametrize("path", ["../board/tab.py", "uplot/README.md", "package.json", ""])
def test_nothing_else_is_served(tmp_path: Path, path: str) -> None:
    """No path leads out of the folder, or to what is no part of the tab."""
    assert _serve(tmp_path)(f"plugin/gapmon/static/{path}").status_code == 404


def test_a_log_without_a_monitor_is_judged(tmp_path: Path) -> None:
    """Its losses are found and judged by the package's own analysis, with all beside them."""
    plain_log(tmp_path / "run", u_shape)
    document = _document(_serve(tmp_path), "run")
    columns = document["columns"]
    history = History.from_curves(train=columns["train"], val=columns["val"])

    assert document["verdict"]["verdict"] == diagnose(history).verdict == "overfitting"
    assert document["names"] == {"train": "train_loss_epoch", "val": "val_loss"}
    assert columns["step"] == [PER_EPOCH * n - 1 for n in range(1, 21)]
    assert columns["epoch"] == list(range(20))
    assert not document["own"]
    assert document["lr_changes"] == [11]
    assert len(document["raw"]["step"]) == 40


def test_other_metrics_stand_beside_the_loss(tmp_path: Path) -> None:
    """Each pair of names but the loss comes as a metric at the same checks."""
    plain_log(tmp_path / "run")
    document = _document(_serve(tmp_path), "run")
    expected = [[1 - loss / 4 for loss in document["columns"][side]] for side in ("train", "val")]

    assert list(document["metrics"]) == ["acc"]
    assert document["metrics"]["acc"] == [pytest.approx(side, abs=1e-6) for side in expected]


def test_what_is_no_number_is_strict_json(tmp_path: Path) -> None:
    """NaN and infinity in a log neither break the answer nor stand as numbers in it."""
    values = [1.0, math.nan, math.inf, -math.inf]
    write_scalars(tmp_path / "run", {"val_loss": [*enumerate(values)], "train_loss": [(0, 1.0)]})
    answer = _serve(tmp_path)("plugin/gapmon/documents", run="run").get_data().decode()

    assert json.loads(answer, parse_constant=pytest.fail)["run"]["columns"]["val"] == [
        1.0,
        None,
        "Infinity",
        "-Infinity",
    ]


def test_names_from_a_log_stay_text(tmp_path: Path) -> None:
    """A run named like markup is found by its name, and comes as JSON."""
    name = HOSTILE.replace("/", "")
    plain_log(tmp_path / name)
    get = _serve(tmp_path)

    assert [run["name"] for run in _json(get("plugin/gapmon/runs"))["runs"]] == [name]
    assert _document(get, name)["name"] == name


def test_a_brief_has_what_sorting_needs(tmp_path: Path) -> None:
    """The columns stay behind; verdict, gap and best loss come."""
    plain_log(tmp_path / "run")
    get = _serve(tmp_path)
    told = _json(get("plugin/gapmon/briefs", run="run"))["run"]
    whole = _document(get, "run")

    assert whole.keys() - told.keys() == {"columns", "raw"}
    assert told["best"]["val"] == min(whole["columns"]["val"])
    assert told["last"]["gap"] == whole["columns"]["gap"][-1]


def test_a_run_that_goes_on_is_read_again(tmp_path: Path) -> None:
    """The stamp of a run changes with its log, and its document follows."""
    plain_log(tmp_path / "run", checks=5)
    get = _serve(tmp_path)
    before = _json(get("plugin/gapmon/runs"))["runs"]

    assert _document(get, "run")["checks"] == 5
    assert _json(get("plugin/gapmon/runs"))["runs"] == before
    more = {"val_loss": [(100, 0.5)], "train_loss_epoch": [(100, 0.4)]}
    write_scalars(tmp_path / "run", more)
    assert _json(get("plugin/gapmon/runs"))["runs"] != before
    assert _document(get, "run")["checks"] == 6


def test_a_resumed_run_has_each_step_once(tmp_path: Path) -> None:
    """What was logged again after a crash takes the place of what was there."""
    write_scalars(tmp_path / "run", {"val_loss": [(s, 9.0) for s in (1, 2, 3, 4)]})
    write_scalars(tmp_path / "run", {"val_loss": [(3, 1.0), (4, 2.0), (5, 3.0)]})

    columns = _document(_serve(tmp_path), "run")["columns"]
    assert columns["step"] == [1, 2, 3, 4, 5]
    assert columns["val"] == [9.0, 9.0, 1.0, 2.0, 3.0]


def _monitored(folder: Path, checks: int, *, logged: int) -> dict[str, Any]:
    """Write a run with its own document of the first checks, and scalars of all that it logged."""
    train = [2.0 / (i + 1) for i in range(logged)]
    val = [loss + 0.5 for loss in train]
    history = History.from_curves(train=train[:checks], val=val[:checks], planned=50)
    sides = ("train", "val", "train_fair", "train_probe", "gap", "gap_stderr")
    names = {side: f"Loss/{side}" for side in sides}
    beside = Beside(name="x", names=names, own=True, stop=2, stopped_by="Target(1)", kept=[2])
    document = run_document(history, diagnose(history), beside)
    document["verdict"]["message"] = "its own word"
    scalars = {
        "Loss/train": [*enumerate(train, 1)],
        "Loss/train_fair": [*enumerate(train, 1)],
        "Loss/val": [*enumerate(val, 1)],
        "Loss/gap": [(i, 0.5) for i in range(1, logged + 1)],
        "Loss/gap_stderr": [(i, 0.1) for i in range(1, logged + 1)],
    }
    write_scalars(folder, scalars, state=state_summary(document), state_at=checks)
    return document


def test_a_monitored_run_says_its_own_verdict(tmp_path: Path) -> None:
    """Verdict, plan, stop and checkpoints are the run's own word, not judged anew."""
    document = _monitored(tmp_path / "run", 10, logged=10)
    shown = _document(_serve(tmp_path), "run")

    assert shown == {**document, "name": "run"}
    assert (shown["verdict"]["message"], shown["planned"]) == ("its own word", 50)


def test_checks_since_its_last_word_come_from_the_scalars(tmp_path: Path) -> None:
    """A document need not be written at each check for the chart to go on."""
    _monitored(tmp_path / "run", 10, logged=12)
    shown = _document(_serve(tmp_path), "run")

    assert shown["columns"]["check"] == list(range(1, 13))
    assert shown["columns"]["val"][-1] == pytest.approx(2 / 12 + 0.5)
    assert shown["columns"]["gap_high"][-1] == pytest.approx(0.5 + 1.96 * 0.1, abs=1e-3)
    assert (shown["checks"], shown["last"]["check"]) == (12, 12)


@pytest.mark.parametrize(
    "state", [state_summary({"version": 99}), state_summary({"version": 1}), Summary()], ids=repr
)
def test_a_strange_document_is_passed_over(tmp_path: Path, state: Summary) -> None:
    """Whoever wrote it: the run is then judged by its scalars."""
    write_scalars(tmp_path / "run", {"val_loss": [(1, 1.0)]}, state=state)

    assert _document(_serve(tmp_path), "run")["checks"] == 1


def test_one_odd_run_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that cannot be judged says so alone."""
    plain_log(tmp_path / "a", good)
    plain_log(tmp_path / "b", good)

    def odd(run: str, *rest: Any) -> Any:  # noqa: ANN401 - as the function that it stands for
        return judged(run, *rest) if run == "b" else 1 / 0

    monkeypatch.setattr("lightning_gapmon.board.tab_runs.judged", odd)
    found = _json(_serve(tmp_path)("plugin/gapmon/documents", run=["a", "b"]))

    assert found["a"] == {"error": "ZeroDivisionError: division by zero"}
    assert found["b"]["verdict"]["verdict"] == "good_fit"


def test_an_unknown_run_is_nobody(tmp_path: Path) -> None:
    """A name that is not there gets no answer, and no error either."""
    assert _json(_serve(tmp_path)("plugin/gapmon/documents", run="nobody")) == {}


def test_tensorboard_starts_whatever_is_wrong_with_the_tab(tmp_path: Path) -> None:
    """An error of the tab's own leaves TensorBoard as it is without the tab."""
    code = f"""
import sys
sys.modules["lightning_gapmon.board.tab_plugin"] = None  # its import fails
from tensorboard import default, program
board = program.TensorBoard(plugins=default.get_plugins())
board.configure(logdir={str(tmp_path)!r}, port=0, load_fast="false")
print(board.launch().startswith("http"))
"""
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )

    assert "True" in run.stdout, run.stderr


def test_the_start_of_tensorboard_loads_nothing_of_ours_that_is_heavy() -> None:
    """What TensorBoard imports and loads at its start brings neither torch nor the analysis."""
    code = """
import sys
from lightning_gapmon.board.tab import GapTabLoader
from tensorboard.plugins.base_plugin import TBContext
GapTabLoader().load(TBContext()).get_plugin_apps()
print(*(name for name in sys.modules if name.startswith(("lightning", "torch"))))
"""
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )

    assert set(run.stdout.split()) == {
        "lightning_gapmon",
        "lightning_gapmon.board",
        "lightning_gapmon.board.tags",
        "lightning_gapmon.board.tab",
        "lightning_gapmon.board.tab_plugin",
    }


def test_the_start_of_tensorboard_is_not_slower() -> None:
    """What is done at its start takes less than 50 ms of processor time, at the best of three."""
    code = """
import time
from tensorboard import plugin_util
from tensorboard.backend import application
from tensorboard.plugins.base_plugin import TBContext
begin = time.process_time()
from lightning_gapmon.board.tab import GapTabLoader
GapTabLoader().load(TBContext()).get_plugin_apps()
print(time.process_time() - begin)
"""
    took = [
        float(
            subprocess.run(  # noqa: S603
                [sys.executable, "-W", "ignore", "-c", code],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(3)
    ]

    assert min(took) < 0.05
