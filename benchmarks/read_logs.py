"""What reading TensorBoard's event files costs, beside other readers, each in its own process.

    python benchmarks/read_logs.py                                # what is installed
    python benchmarks/read_logs.py --points 1000 --rounds 1       # a small try
    python benchmarks/read_logs.py --python /tmp/peers/bin/python # peers from another environment

Writes one event file of 20 tags, then reads it: CPU time of the whole process and of what it
started, wall time and peak memory; medians of the rounds, in which the readers take turns. The
peers are tbparse, tensorboard-reducer (which samples: 10,000 points of each tag) and TensorBoard's
data server; those that are not there are left out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

TAGS = (
    *("loss/train", "loss/val", "lr-Adam", "epoch", "grad/norm", "grad/max", "time/step"),
    *(f"metric/layer_{i}" for i in range(7)),
    *(f"acc/{side}_top{k}" for side in ("train", "val") for k in (1, 3, 5)),
)
PLAIN = "EventAccumulator"
COUNT = "points.txt"  # beside the event file: how many points each tag has


def ours_two(folder: str) -> int:
    """Read two tags."""
    from lightning_gapmon.logs import read_scalars  # noqa: PLC0415 - its import is in the price

    return sum(map(len, read_scalars(folder, containing=["loss/"]).values()))


def ours_all(folder: str) -> int:
    """Read all tags."""
    from lightning_gapmon.logs import read_scalars  # noqa: PLC0415

    return sum(map(len, read_scalars(folder).values()))


def event_accumulator(folder: str) -> int:
    """Read with TensorBoard's own reader, without its limit of 10,000 points a tag."""
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    read = EventAccumulator(folder, size_guidance={"scalars": 0})
    read.Reload()
    return sum(len(read.Scalars(tag)) for tag in read.Tags()["scalars"])


def tbparse(folder: str) -> int:
    """Read into a table of pandas."""
    from tbparse import SummaryReader  # noqa: PLC0415

    return len(SummaryReader(folder).scalars)


def tensorboard_reducer(folder: str) -> int:
    """Read into tables of pandas, one a tag."""
    from tensorboard_reducer import load_tb_events  # noqa: PLC0415

    return sum(map(len, load_tb_events([folder], verbose=False).values()))


def data_server(folder: str) -> int:
    """Let TensorBoard's data server read, without sampling, and fetch the points over gRPC."""
    from tensorboard.context import RequestContext  # noqa: PLC0415
    from tensorboard.data import server_ingester  # noqa: PLC0415
    from tensorboard.data.provider import RunTagFilter  # noqa: PLC0415
    from tensorboard.util.grpc_util import ChannelCredsType  # noqa: PLC0415

    server = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(),
        logdir=folder,
        reload_interval=0,
        channel_creds_type=ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": 0},
    )
    server.start()

    def points(tags: list[str] | None) -> int:
        found = server.data_provider.read_scalars(
            RequestContext(),
            experiment_id="",
            plugin_name="scalars",
            downsample=10**9,
            run_tag_filter=RunTagFilter(tags=tags),
        )
        return sum(len(series) for run in found.values() for series in run.values())

    # It does not say when it has read everything; so the last tag is asked for again and again.
    expected = int((Path(folder) / COUNT).read_text(encoding="utf-8"))
    while points([TAGS[-1]]) < expected:
        time.sleep(0.5)
    total = points(None)
    server._stdin_handle.close()  # noqa: SLF001 - it ends then, and its time can be counted
    os.wait()
    return total


READERS: dict[str, Callable[[str], int]] = {
    "read_scalars, 2 of 20 tags": ours_two,
    "read_scalars, all tags": ours_all,
    "data server": data_server,
    "tbparse": tbparse,
    "tensorboard-reducer": tensorboard_reducer,
    PLAIN: event_accumulator,
}


def main() -> None:
    """Write the file, let the readers take turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=100_000, help="of each tag")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="runs the readers")
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        measure(*options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), options.points)
        print(f"{len(TAGS)} tags of {options.points:,} points, {size / 1e6:.0f} MB")
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
        for _ in range(options.rounds):
            for name in READERS:
                taken[name] += apart(options.python, name, folder)
    table(taken)


def write(folder: Path, points: int) -> int:
    """Write an event file as the usual writers do, and give its size."""
    (folder / COUNT).write_text(str(points), encoding="utf-8")
    path = folder / "events.out.tfevents.1"
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for step in range(points):
            for place, tag in enumerate(TAGS):
                value = Summary.Value(tag=tag, simple_value=place + 1 / (step + 1))
                event = Event(wall_time=1e9 + step, step=step, summary=Summary(value=[value]))
                writer.write(event.SerializeToString())
    return path.stat().st_size


def apart(python: str, name: str, folder: str) -> list[dict[str, float]]:
    """Read in a process of its own; nothing where the reader is not there."""
    ran = subprocess.run(  # noqa: S603
        [python, __file__, "--read", name, folder], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        print(f"{name}: {ran.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return [found]


def measure(name: str, folder: str) -> None:
    """Read, and print what that took, imports and all."""
    begin = time.perf_counter()
    points = READERS[name](folder)
    wall = time.perf_counter() - begin
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(used.ru_utime + used.ru_stime for used in (own, children))
    memory = max(own.ru_maxrss, children.ru_maxrss) / 1024
    print(json.dumps({"points": points, "cpu": cpu, "wall": wall, "memory": memory}))


def table(taken: dict[str, list[dict[str, float]]]) -> None:
    """Print medians, and CPU time as a share of what TensorBoard's own reader takes."""
    middle = {
        name: {key: median(found[key] for found in rounds) for key in rounds[0]}
        for name, rounds in taken.items()
        if rounds
    }
    print(f"{'':28s}{'points':>10s}{'CPU, s':>9s}{'wall, s':>9s}{'MB':>7s}{'1/CPU':>8s}")
    for name, found in middle.items():
        times = middle[PLAIN]["cpu"] / found["cpu"]
        numbers = f"{found['cpu']:9.2f}{found['wall']:9.2f}{found['memory']:7.0f}{times:8.0f}"
        print(f"{name:28s}{found['points']:10,.0f}{numbers}")


if __name__ == "__main__":
    main()
