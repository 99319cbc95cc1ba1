"""The Gap tab's routes in TensorBoard; what judges runs is loaded when it is asked for."""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard import context as tb_context, plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import Request, Response

from lightning_gapmon.board.tags import PLUGIN

if TYPE_CHECKING:
    from lightning_gapmon.board.tab_runs import Runs

WEB = Path(__file__).parents[1] / "web"
# Not what the system says: on Windows its registry can hold text/plain, which browsers refuse.
TYPES = {".js": "text/javascript", ".css": "text/css"}
App = Callable[..., Any]


class GapTab(base_plugin.TBPlugin):  # type: ignore[misc] # tensorboard has no types
    """Every run with a validation loss as a chart with its verdict.

    Args:
        context: What TensorBoard hands to its plugins.
    """

    plugin_name = PLUGIN

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._provider = context.data_provider
        self._active = False

    def is_active(self) -> bool:
        """Whether a run has a validation loss; once one has, nobody looks again."""
        if not self._active:
            self._active = bool(self._runs.listed(tb_context.RequestContext(), "")["runs"])
        return self._active

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """Name the tab and its module."""
        return base_plugin.FrontendMetadata(es_module_path="/static/index.js", tab_name="Gap")

    def get_plugin_apps(self) -> dict[str, App]:
        """Give the routes: exact ones, so that no path leads elsewhere."""
        files = (path for path in WEB.rglob("*") if path.suffix in TYPES)
        served = {f"/static/{path.relative_to(WEB).as_posix()}": _file(path) for path in files}
        return {
            **served,
            "/runs": self._answer(lambda asked: self._runs.listed(*_scope(asked))),
            "/documents": self._answer(
                lambda asked: self._runs.documents(*_scope(asked), _names(asked))
            ),
            "/briefs": self._answer(
                lambda asked: self._runs.briefs(*_scope(asked), _names(asked))
            ),
        }

    @cached_property
    def _runs(self) -> "Runs":
        from lightning_gapmon.board.tab_runs import Runs  # noqa: PLC0415 - spares the start

        return Runs(self._provider)

    def _answer(self, ask: Callable[[Request], Any]) -> App:
        @Request.application
        def app(request: Request) -> Response:
            # Written here: TensorBoard's own way goes through each number in Python.
            return _respond(request, json.dumps(ask(request), allow_nan=False), "application/json")

        return app


def _file(path: Path) -> App:
    @Request.application
    def app(request: Request) -> Response:
        return _respond(request, path.read_bytes(), TYPES[path.suffix])

    return app


def _respond(request: Request, content: str | bytes, content_type: str) -> Response:
    response: Response = http_util.Respond(request, content, content_type)
    return response


def _scope(request: Request) -> tuple[tb_context.RequestContext, str]:
    environ = request.environ
    return plugin_util.context(environ), plugin_util.experiment_id(environ)


def _names(request: Request) -> list[str]:
    return request.args.getlist("run")
