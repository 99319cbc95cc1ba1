"""Hugging Face's `trainer_state.json`: curves, and a plan from what took place."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.logs.readings import read_all, read_one, refusal

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def _state(folder: Path, steps: list[int], **more: Any) -> Path:  # noqa: ANN401 - any JSON
    """Write a state with an evaluation at each step, two train losses before each."""
    rows: list[dict[str, float]] = []
    before = 0
    per_epoch = more.pop("per_epoch", 50)
    for step, train, val in zip(steps, TRAIN * 9, VAL * 9, strict=False):
        middle = (before + step) // 2
        rows += [
            {
                "epoch": middle / per_epoch,
                "loss": train + 0.1,
                "learning_rate": 2e-4,
                "step": middle,
            },
            {"epoch": step / per_epoch, "loss": train - 0.1, "learning_rate": 1e-4, "step": step},
            {"epoch": step / per_epoch, "eval_loss": val, "eval_runtime": 1.0, "step": step},
        ]
        before = step
    rows.append({"epoch": before / per_epoch, "train_loss": 77.0, "step": before})
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({"log_history": rows, **more}))
    return path


def test_reads_the_curves(tmp_path: Path) -> None:
    """The train loss is what was logged on the way, not the one that sums up the run."""
    history = read_one(_state(tmp_path, [50, 100, 150])).history

    assert [*history.train] == pytest.approx(TRAIN)
    assert history.val == VAL
    assert history.step == [50, 100, 150]
    assert history.epoch == [1, 2, 3]
    assert history.lr == [1e-4] * 3
    assert history.planned is None


@pytest.mark.parametrize(
    ("steps", "settings", "planned"),
    [
        # Every so many steps: what is intended follows from the steps.
        ([50, 100, 150], {"eval_steps": 50, "max_steps": 500}, 10),
        ([100, 150, 200, 250], {"eval_steps": 50, "max_steps": 500}, 10),  # the first put off
        ([200, 400, 500], {"eval_steps": 200, "max_steps": 500}, 2),  # one more at the end
        # By epoch: `eval_steps` is in the file, but was not used.
        ([50, 100, 150], {"eval_steps": 24, "max_steps": 600, "num_train_epochs": 12}, 12),
        ([50, 100, 150], {"eval_steps": 500, "max_steps": 600, "num_train_epochs": 12}, 12),
        (
            [48, 96, 144],
            {"eval_steps": 24, "max_steps": 576, "num_train_epochs": 12, "per_epoch": 48},
            12,
        ),
        ([50, 100, 150], {"max_steps": 600, "num_train_epochs": 2.5}, 3),
        # Neither: nothing is said.
        ([13, 37, 91], {"eval_steps": 24, "max_steps": 576, "num_train_epochs": 12}, None),
        ([50, 100], {"eval_steps": -1, "max_steps": "x", "num_train_epochs": None}, None),
    ],
)
def test_the_plan_is_that_of_the_evaluations_that_took_place(
    tmp_path: Path, steps: list[int], settings: dict[str, Any], planned: int | None
) -> None:
    """Steps where they were counted by, epochs where they were, and no plan where neither."""
    assert read_one(_state(tmp_path, steps, **settings)).history.planned == planned


def test_each_set_that_was_evaluated_on_is_a_run(tmp_path: Path) -> None:
    """None is chosen in silence, and each has the train loss."""
    rows = [
        {"step": step, "epoch": step, "loss": 1.0 / step, "eval_a_loss": 2.0, "eval_b_loss": 3.0}
        for step in (1, 2)
    ]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": rows}))
    one, two = read_all(path)

    assert [one.name, two.name] == [f"{path} (eval_a_loss)", f"{path} (eval_b_loss)"]
    assert [one.history.val, two.history.val] == [[2.0, 2.0], [3.0, 3.0]]
    assert one.history.train == two.history.train == [1.0, 0.5]


def test_a_part_of_the_loss_is_no_set(tmp_path: Path) -> None:
    """Where there is the loss, that is it."""
    rows = [{"step": 1, "eval_loss": 2.0, "eval_mlm_loss": 1.5}]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": rows}))
    history = read_one(path).history

    assert history.val == [2.0]
    assert repr(history.train) == "[nan]"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON: "),
        ("[" * 100_000, "no JSON: maximum recursion depth exceeded"),
        ("[]", "the file is list; expected an object"),
        ("{}", "log_history is NoneType; expected a list"),
        ('{"log_history": [1]}', "a row is int; expected an object"),
        ('{"log_history": []}', "no eval_loss: nothing was evaluated while it trained"),
        ('{"log_history": [{"eval_loss": "x"}]}', "no eval_loss"),
        (f'{{"log_history": [{{"eval_loss": {"9" * 5000}}}]}}', "no JSON: Exceeds the limit"),
        (f'{{"log_history": [{{"eval_loss": {"9" * 400}}}]}}', "no eval_loss"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    """Whatever the JSON holds, and however deep."""
    path = tmp_path / "trainer_state.json"
    path.write_text(text)

    assert refusal(path).startswith(reason)
