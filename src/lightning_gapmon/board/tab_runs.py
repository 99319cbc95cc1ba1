"""What the Gap tab shows of TensorBoard's runs: which there are, and each as its document."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tensorboard.data import provider

from lightning_gapmon.analysis.run_document import RunDocument, brief
from lightning_gapmon.board.state import read_state
from lightning_gapmon.board.tab_document import Wanted, judged, resumed, wanted
from lightning_gapmon.board.tags import PLUGIN, STATE

SCALARS = "scalars"
MOST_POINTS = 2000  # TensorBoard itself keeps 1000 of a scalar unless it is told otherwise
KEPT = 512  # documents in memory


class _Listed(NamedTuple):
    """A run that can be shown.

    Attributes:
        wanted: The names of its scalars.
        own: Whether it wrote a document of its own.
        stamp: Changes whenever there is more to show.
    """

    wanted: Wanted
    own: bool
    stamp: str


class Runs:
    """TensorBoard's runs, read through what it gives to its plugins.

    Args:
        data: Its data provider; the fast and the Python loader have one each.
    """

    def __init__(self, data: provider.DataProvider) -> None:
        self._data = data
        self._documents: OrderedDict[tuple[str, str], tuple[str, RunDocument]] = OrderedDict()

    def listed(self, context: Any, experiment: str) -> dict[str, list[dict[str, str]]]:  # noqa: ANN401 - TensorBoard has no types
        """List the runs that can be shown, each with a stamp that tells when to look again."""
        found = self._listed(context, experiment)
        return {"runs": [{"name": run, "stamp": listed.stamp} for run, listed in found.items()]}

    def documents(self, context: Any, experiment: str, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401
        """Read and judge some runs; one that cannot be read says so alone."""
        listed = self._listed(context, experiment, names)
        due = {
            run: found
            for run, found in listed.items()
            if self._documents.get((experiment, run), ("",))[0] != found.stamp
        }
        for run, document in self._read(context, experiment, due):
            self._keep((experiment, run), (due[run].stamp, document))
        kept = {run: self._documents.get((experiment, run)) for run in listed}
        return {run: known[1] for run, known in kept.items() if known is not None}

    def briefs(self, context: Any, experiment: str, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401
        """Give of some runs what they are sorted and filtered by."""
        found = self.documents(context, experiment, names)
        return {run: brief(document) for run, document in found.items()}

    def _keep(self, key: tuple[str, str], document: tuple[str, RunDocument]) -> None:
        self._documents[key] = document
        self._documents.move_to_end(key)
        while len(self._documents) > KEPT:
            self._documents.popitem(last=False)

    def _listed(
        self,
        context: Any,  # noqa: ANN401
        experiment: str,
        names: Sequence[str] | None = None,
    ) -> dict[str, _Listed]:
        chosen = provider.RunTagFilter(runs=names) if names is not None else None
        asked = {"experiment_id": experiment, "run_tag_filter": chosen}
        scalars = self._data.list_scalars(context, plugin_name=SCALARS, **asked)
        own = self._data.list_tensors(context, plugin_name=PLUGIN, **asked)
        runs = {run: wanted(tags) for run, tags in scalars.items()}
        return {
            run: _Listed(
                names, own=run in own, stamp=_stamp(names.names, scalars[run], own.get(run, {}))
            )
            for run, names in runs.items()
            if names is not None
        }

    def _read(
        self,
        context: Any,  # noqa: ANN401
        experiment: str,
        due: Mapping[str, _Listed],
    ) -> Iterator[tuple[str, RunDocument]]:
        if not due:
            return
        tags = {tag for found in due.values() for tag in found.wanted.names}
        asked = {"experiment_id": experiment, "downsample": MOST_POINTS}
        scalars = self._data.read_scalars(
            context,
            plugin_name=SCALARS,
            run_tag_filter=provider.RunTagFilter(runs=due, tags=tags),
            **asked,
        )
        own = [run for run, found in due.items() if found.own]
        tensors = self._data.read_tensors(
            context,
            plugin_name=PLUGIN,
            run_tag_filter=provider.RunTagFilter(runs=own, tags=[STATE]),
            **asked,
        )
        for run, found in due.items():
            written = tensors.get(run, {}).get(STATE)
            yield run, _document(run, found, scalars.get(run, {}), written)


def _document(run: str, listed: _Listed, scalars: Mapping[str, Any], written: Any) -> RunDocument:  # noqa: ANN401
    try:
        told = read_state(written[-1].numpy.item()) if written else None
        own = resumed(run, told, scalars, written[-1]) if told is not None else None
        return own or judged(run, listed.wanted, scalars)
    except Exception as error:  # noqa: BLE001 - one odd log must not hide the other runs
        return {"error": f"{type(error).__name__}: {error}"}


def _stamp(names: Iterable[str], scalars: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    series = [scalars[name] for name in names if name in scalars] + list(own.values())
    last = max(one.max_wall_time for one in series)
    return f"{max(one.max_step for one in series)}@{last!r}"
