"""Where verdicts are sent."""

import copy
import json
import os
import pickle
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from tests.report.strategies import outcomes

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.report import alerts, verdict_event
from lightning_gapmon.report.alerts import WandbAlert, Webhook

HISTORY = History.from_curves(train=[0.5, 0.4], val=[0.6, 0.5], planned=5)
OUTCOME = Outcome(history=HISTORY, diagnosis=diagnose(HISTORY))
EVENT = verdict_event.plain(OUTCOME, kind="verdict")


class Server(HTTPServer):
    """Listens on a port of this machine that was free, and keeps what is posted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[tuple[str | None, dict[str, Any]]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}/T0KEN"


class Receiver(BaseHTTPRequestHandler):
    """Answers with the server's status."""

    def do_POST(self) -> None:
        """Take a post."""
        server = self.server
        assert isinstance(server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server while a test runs."""
    found = Server()
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def _wait() -> None:
    """Wait for what was submitted before."""
    alerts._line(os.getpid()).submit(int).result(timeout=20)


def test_events_are_posted_in_their_order(server: Server) -> None:
    """The webhook gets each event as JSON, one after the other, from a thread."""
    hook = Webhook(server.url)
    for kind in ("verdict", "stop", "end"):
        hook({**EVENT, "event": kind})
    _wait()

    assert [body["event"] for _, body in server.got] == ["verdict", "stop", "end"]
    assert server.got[0] == ("application/json", {**EVENT, "remedies": [*EVENT["remedies"]]})


def test_what_fails_is_a_warning_without_the_address(server: Server) -> None:
    """An answer that is no success, and a host that is not there, are said; nothing is raised."""
    server.status = 500
    with pytest.warns(UserWarning, match=r"could not be posted to 127.0.0.1 \(HTTPError") as said:
        Webhook(server.url).post("{}")
    with pytest.warns(UserWarning, match="could not be posted to 127.0.0.1") as refused:
        Webhook("http://127.0.0.1:9/T0KEN", timeout=1).post("{}")

    assert not [one for one in (*said, *refused) if "T0KEN" in str(one.message)]


def test_a_failure_in_the_thread_is_not_raised_in_the_run() -> None:
    """Calling the webhook gives nothing back and raises nothing."""
    Webhook("http://127.0.0.1:9/", timeout=1)(EVENT)
    _wait()


def test_the_address_of_a_webhook_is_a_secret() -> None:
    """Only the host is shown; a copy and a pickle are the same webhook."""
    hook = Webhook("https://hooks.example.com/T0KEN?key=1", timeout=3)

    assert repr(hook) == "Webhook(to='hooks.example.com', timeout=3)"
    assert pickle.loads(pickle.dumps(hook)) == copy.deepcopy(hook) == hook  # noqa: S301 - ours


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "hooks.example.com", "http://"])
def test_only_a_web_address_is_one(url: str) -> None:
    """What urllib would open elsewhere is refused."""
    with pytest.raises(ConfigurationError, match="expected one of a webhook"):
        Webhook(url)


def _wandb(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    package = types.ModuleType("wandb")
    package.run = run  # type: ignore[attr-defined]
    package.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "wandb", package)


def test_an_alert_goes_to_the_open_run_of_wandb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Title, text and level are those of the verdict."""
    sent: list[dict[str, Any]] = []
    _wandb(monkeypatch, types.SimpleNamespace(alert=lambda **given: sent.append(given)))
    WandbAlert(wait=5)({**EVENT, "severity": "error", "verdict": "non_finite"})

    assert sent == [
        {
            "title": "gapmon: non finite",
            "text": EVENT["text"],
            "level": "ERROR",
            "wait_duration": 5,
        }
    ]


def test_an_alert_without_a_run_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wandb it is refused when it is made, without a run when it is used."""
    _wandb(monkeypatch, None)
    with pytest.raises(ConfigurationError, match="no open run of wandb"):
        WandbAlert()(EVENT)

    monkeypatch.delitem(sys.modules, "wandb")
    monkeypatch.setattr(alerts, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="no package wandb"):
        WandbAlert()


def test_an_event_says_what_happened() -> None:
    """The sentence tells a change, a stop and an end apart."""
    reason = StopReason(rule="Patience(1)", message="no better", check=2)
    stopped = replace(OUTCOME, stop_reason=reason)
    failed = replace(OUTCOME, interrupted_by="KeyboardInterrupt")
    undecided = "undecided, too early to tell after 2 checks"

    assert EVENT["text"] == f"after 2 checks of 5: {undecided}"
    assert verdict_event.plain(stopped, kind="stop")["text"].startswith(
        "stopped after 2 checks of 5 (no better"
    )
    assert verdict_event.plain(failed, kind="end")["text"] == (
        f"ended by KeyboardInterrupt after 2 checks of 5: {undecided}"
    )


@given(outcome=outcomes())
def test_an_event_is_strict_json(outcome: Outcome) -> None:
    """Whatever the losses are, the event can be written and read."""
    for kind in ("verdict", "stop", "end"):
        plain = verdict_event.plain(outcome, kind=kind)

        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
