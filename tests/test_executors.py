"""Runs in other processes: the same records and bytes, wherever they are made."""

from __future__ import annotations

import json
import os
import re
import signal
import socketserver
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster

from fercore import data, executors, sweep
from fercore.data import DataError
from fercore.executors import ExecutorError, Place, Task, cluster, place, settings, worker
from fercore.executors.worker import Job, make
from fercore.setting import StudyError, check
from fercore.spec import DataSpec, RunSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore, StoreError
from fercore.training import train
from fercore.training.device import DeviceError
from tests.face_files import csv_text
from tests.toy import Spy, bars, spec

CLUSTER = Path(__file__).parents[1] / "docs" / "cluster"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of faces: workers must find them by themselves."""
    path = tmp_path_factory.mktemp("faces") / "fer2013.csv"
    path.write_text(csv_text(bars()), "utf-8")
    return str(path)


def specs(source: str, n: int = 3, **train: Any) -> list[RunSpec]:
    return [spec(seed=seed, data=DataSpec(source=source), **train) for seed in range(n)]


# What EXECUTOR says


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", Place("auto")),
        ("serial", Place("serial")),
        ("local:2", Place("local", 2)),
        ("tcp://10.0.0.1:8786", Place("cluster", address="tcp://10.0.0.1:8786")),
        ("tls://host:8786", Place("cluster", address="tls://host:8786")),
        ("file:/shared/my scheduler.json", Place("cluster", 1, "file:/shared/my scheduler.json")),
    ],
)
def test_an_executor_is_read(text: str, expected: Place) -> None:
    assert executors.parse(text) == expected
    assert text == check({"EXECUTOR": text}).EXECUTOR


@pytest.mark.parametrize(
    "text",
    ["", "dask", "local", "local:0", "local:-1", "local:2.5", "tcp://host", "http://h:1", "file:"],
)
def test_another_word_is_one_message(text: str) -> None:
    with pytest.raises(ExecutorError, match="expected auto, serial, local:N"):
        executors.parse(text)
    with pytest.raises(StudyError, match=r"EXECUTOR: expected auto, .*scheduler\.json\), found"):
        check({"EXECUTOR": text})


def task(epochs: int, seed: int = 0) -> Task:
    return Task(str(seed), spec(seed=seed, epochs=epochs), "synthetic", "f", images=1000)


def test_auto_takes_a_worker_per_core_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "cores", lambda: 4)
    long = [task(1000, seed) for seed in range(6)]
    assert executors.settle("auto", long, "cpu", 1) == Place("local", 4)
    assert executors.settle("auto", long, "cpu", 2) == Place("local", 2)
    assert executors.settle("auto", long[:3], "cpu", 1) == Place("local", 3)
    assert executors.settle("auto", long, "cpu", 4) == Place("serial")
    assert executors.settle("auto", long[:1], "cpu", 1) == Place("serial")
    assert executors.settle("auto", [task(1, seed) for seed in range(6)], "cpu", 1).kind == "serial"
    assert executors.settle("local:9", long, "cpu", 1) == Place("local", 6)
    monkeypatch.setattr(place, "cores", lambda: 1)
    assert executors.settle("auto", long, "cpu", 1) == Place("serial")


def test_work_grows_with_epochs_images_and_network() -> None:
    one = task(2)
    assert task(4).work == pytest.approx(2 * one.work)
    assert replace(one, images=2000).work == pytest.approx(2 * one.work)
    few = one.spec.model_copy(update={"data": DataSpec(train_images=100)})
    assert replace(one, spec=few).work == pytest.approx(one.work / 10)


def test_cores_are_those_of_this_process() -> None:
    assert 1 <= place.cores() <= len(os.sched_getaffinity(0))


# Two workers


@pytest.fixture(scope="module")
def both(
    source: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunStore, RunStore, list[RunSpec], Spy]:
    """Three runs and one that diverges, made here and by two workers."""
    wild = specs(source, 1, optimizer="sgd", rate=1e6, schedule="constant")
    tasks = [*specs(source), *wild]
    faces, watch = data.load(source), Spy()
    here, there = (RunStore(tmp_path_factory.mktemp(name)) for name in ("here", "there"))
    sweep.run(tasks, faces, here, executor="serial", threads=1, progress=Spy())
    records = sweep.run(tasks, faces, there, executor="local:2", threads=1, progress=watch)
    assert [record.spec for record in records] == tasks
    return here, there, tasks, watch


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(
    both: tuple[RunStore, RunStore, list[RunSpec], Spy],
) -> None:
    here, there, _, _ = both
    assert here.ids() == there.ids()
    done = [record.run_id for record in there.records() if record.status == "done"]
    assert len(done) == 3
    for run in done:
        files = [store.folder(run) / "weights.safetensors" for store in (here, there)]
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.slow
def test_the_store_holds_runs_and_nothing_else(
    both: tuple[RunStore, RunStore, list[RunSpec], Spy],
) -> None:
    here, there, _, _ = both
    hidden = {path.name for path in there.root.glob(".*")}
    assert hidden == {".locks", ".checkpoints", there.seal()}
    assert not list(there.root.glob(".checkpoints/*"))
    assert len(list(there.root.iterdir())) == len(hidden) + len(here.ids())


@pytest.mark.slow
def test_progress_of_all_workers_is_told(
    both: tuple[RunStore, RunStore, list[RunSpec], Spy],
) -> None:
    *_, watch = both
    assert watch.total == (4, 0)
    assert len(watch.outcomes) == 4
    assert sum(outcome.startswith("diverged") for outcome in watch.outcomes) == 1
    assert watch.closed == 1
    assert watch.most_at_once == 2


@pytest.mark.slow
def test_what_is_done_starts_no_worker(
    both: tuple[RunStore, RunStore, list[RunSpec], Spy], source: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(cluster, "connect", lambda *_: pytest.fail("started"))
    _, there, tasks, _ = both
    sweep.run(tasks, data.load(source), there, executor="local:2", progress=Spy())


@pytest.mark.parametrize("shown", [True, False])
def test_the_dashboard_of_a_cluster_is_named_where_there_is_one(
    tmp_path: Path, shown: bool
) -> None:
    page = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {}} if shown else {}
    watch = Spy()
    how: dict[str, Any] = {"device": "cpu", "threads": 1, "progress": watch}
    given = settings.local(1) | {"processes": False, "protocol": "tcp"} | page
    routes = "distributed.scheduler.http.routes"  # Dask appends to this very list
    with dask.config.set({routes: [*dask.config.get(routes)]}), LocalCluster(**given) as one:
        there = Place("cluster", address=one.scheduler_address)
        assert cluster.train([], RunStore(tmp_path), there, **how) == {}
        expected = [f"Dask's dashboard: {one.dashboard_link}"] if shown else []
    assert watch.notes == expected


@pytest.mark.parametrize("link", [None, "", "no address"])
def test_a_dashboard_without_an_address_does_not_answer(link: str | None) -> None:
    assert not cluster._answers(link)


def test_a_port_that_does_not_speak_http_is_no_dashboard() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Garbage) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert not cluster._answers(f"http://127.0.0.1:{server.server_address[1]}/status")


class Garbage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"garbage\n")


# The templates of docs/cluster.md


@pytest.mark.parametrize("script", sorted(CLUSTER.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_of_a_cluster_are_linted(script: Path) -> None:
    """By shellcheck where there is one, else by bash alone."""
    tool = ["shellcheck"] if which("shellcheck") else ["bash", "-n"]
    done = subprocess.run([*tool, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    usage = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=False)
    assert usage.returncode != 0
    assert "usage: " in usage.stderr


def test_a_scheduler_of_one_s_own_has_the_settings_of_a_local_one(tmp_path: Path) -> None:
    """As far as they are a scheduler's; a stand-in for dask prints what it is started with."""
    stub = tmp_path / "dask"
    stub.write_text('#!/bin/bash\necho "$@"\nenv\n')
    stub.chmod(0o755)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DASK_")}
    said = subprocess.check_output(
        ["bash", str(CLUSTER / "scheduler.sh"), "--port", "8786"],
        env={**plain, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        text=True,
    ).splitlines()
    assert said[0] == "scheduler --port 8786"
    given = dict(line.split("=", 1) for line in said if line.startswith("DASK_"))
    found, kind = dask.config.collect_env(given), "distributed.scheduler."
    wanted = {name: v for name, v in settings.config(1).items() if name.startswith(kind)}
    assert {name: dask.config.get(name, "absent", found) for name in wanted} == wanted
    assert len(given) == len(wanted)


def test_the_page_starts_no_scheduler_without_them() -> None:
    started = re.findall(r"^(\S.*?scheduler\S*) --", (CLUSTER / "../cluster.md").read_text(), re.M)
    assert started == ["docs/cluster/scheduler.sh"] * 2


def certified(folder: Path) -> dict[str, Any]:
    """What the page's lines on TLS set, with a certificate that has just been made."""
    folder.mkdir()
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=fercore"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*new, *files], check=True, capture_output=True)
    (folder / "ca.pem").write_bytes((folder / "cert.pem").read_bytes())
    page = (CLUSTER / "../cluster.md").read_text()
    (lines,) = re.findall(r"```\n(export [^`]*TLS[^`]*)```", page)
    script = lines.replace("/secure", str(folder)) + "env"
    said = subprocess.check_output(["bash", "-eu", "-c", script], text=True).splitlines()
    given = dict(line.split("=", 1) for line in said if line.startswith("DASK_DISTRIBUTED__COMM_"))
    names = [name.removeprefix("DASK_").lower().replace("__", ".") for name in given]
    assert len(names) == 8
    found = dask.config.collect_env(given)
    return {name: dask.config.get(name, override_with=None, config=found) for name in names}


@pytest.mark.skipif(which("openssl") is None, reason="nothing here makes certificates")
def test_by_the_page_s_lines_all_is_encrypted_and_other_certificates_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings.local(1) | {"processes": False}
    with dask.config.set(certified(tmp_path / "a")), LocalCluster(**given) as one:
        assert one.scheduler_address.startswith("tls://")
        with cluster._reach(one.scheduler_address) as client:
            assert client.submit(pow, 2, 3).result(timeout=30) == 8
        monkeypatch.setattr(cluster, "TIMEOUT", 1)
        other = dask.config.set(certified(tmp_path / "b"))
        with other, pytest.raises(ExecutorError, match=r"none answers: .*certificate"):
            cluster._reach(one.scheduler_address)


# Runs that fail


def fail_one(task: Task, _: None) -> None:
    if task.run_id == "1":
        raise StoreError("the disk is full")


def test_a_run_that_fails_is_named_and_the_others_are_made() -> None:
    given = settings.local(2) | {"processes": False, "protocol": "tcp"}
    watch = Spy()
    with LocalCluster(**given) as local, Client(local) as client:
        sweep = cluster.Sweep(client, [task(1, seed) for seed in range(3)], watch, "t")
        with pytest.raises(cluster.SweepError) as caught:
            sweep.run(fail_one, None, lambda task: (task.run_id, "done"))
    assert sweep.records == {"0": "0", "2": "2"}
    assert sorted(watch.outcomes) == ["done", "done", "failed: StoreError: the disk is full"]
    lines = str(caught.value).splitlines()
    assert lines[0] == "1 run failed, the others are in the store:"
    assert lines[1].endswith("seed 1: StoreError: the disk is full")


def test_two_studies_on_one_machine_want_no_common_port() -> None:
    given = settings.local(1) | {"processes": False, "protocol": "tcp"}
    with LocalCluster(**given) as one, LocalCluster(**given) as other:  # a warning is an error
        servers = [cluster.scheduler.http_server for cluster in (one, other)]
    assert {server.address for server in servers} == {"127.0.0.1"}
    assert len({server.port for server in servers}) == 2


@pytest.mark.slow
def test_a_worker_that_takes_long_to_start_anew_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it does; Dask's own patience is 15 s."""
    wait = (
        "import sys, time\nif any('spawn_main' in word for word in sys.orig_argv): time.sleep(17)"
    )
    with cluster.connect(Place("local", 1), threads=1) as client:
        first = client.submit(os.getpid).result()
        (tmp_path / "sitecustomize.py").write_text(wait)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        os.kill(first, signal.SIGKILL)
        while client.nthreads():
            time.sleep(0.1)
        client.wait_for_workers(1, timeout=120)
        time.sleep(3)  # given up, it begins all the same, and is closed then
        assert client.submit(os.getpid, pure=False).result(timeout=30) != first


@pytest.mark.slow
def test_workers_that_cannot_begin_are_one_message(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = "import os, sys\nif any('spawn_main' in word for word in sys.orig_argv): os._exit(3)\n"
    (tmp_path / "sitecustomize.py").write_text(begin)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ExecutorError, match="EXECUTOR=local:2: the workers ended before they beg"):
        sweep.run(
            specs(source),
            data.load(source),
            RunStore(tmp_path / "runs"),
            executor="local:2",
            progress=Spy(),
        )


# GPUs, without one: torch says how many there are, and every run is trained on the CPU


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have torch find so many."""

    def there_are(count: int) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)

    return there_are


@pytest.mark.parametrize(
    ("count", "asked", "device", "expected"),
    [
        (1, "auto", "auto", Place("serial")),
        (2, "auto", "auto", Place("local", 2)),
        (8, "auto", "cuda", Place("local", 4)),  # no more than there are cores
        (8, "auto", "cuda:1", Place("serial")),
        (8, "auto", "cpu", Place("local", 4)),
        (2, "local:6", "auto", Place("local", 6)),
        (8, "local:24", "auto", Place("local", 12)),
    ],
)
def test_auto_takes_a_worker_per_gpu_and_local_as_many_as_it_says(
    gpus: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    asked: str,
    device: str,
    expected: Place,
) -> None:
    gpus(count)
    monkeypatch.setattr(place, "cores", lambda: 4)
    tasks = [task(1000, seed) for seed in range(12)]
    assert executors.settle(asked, tasks, device, 1) == expected


def test_a_gpu_that_is_not_there_is_one_message_with_those_that_are(
    gpus: Callable[[int], None],
) -> None:
    gpus(2)
    with pytest.raises(DeviceError, match=r"\(cuda, cpu, cuda:0, cuda:1\), found 'cuda:2'"):
        executors.settle("local:2", [task(1)], "cuda:2", 1)
    gpus(0)
    with pytest.raises(
        DeviceError, match=r"expected auto or what torch finds here \(cpu\), found 'cuda'"
    ):
        executors.settle("local:2", [task(1)], "cuda", 1)


@pytest.mark.parametrize(
    ("count", "workers", "device", "expected"),
    [
        (1, 2, "auto", {"cuda:0": 2}),
        (2, 2, "auto", {"cuda:0": 1, "cuda:1": 1}),
        (2, 4, "cuda", {"cuda:0": 2, "cuda:1": 2}),
        (8, 2, "cuda:5", {"cuda:5": 2}),
        (8, 8, "auto", {f"cuda:{index}": 1 for index in range(8)}),
    ],
)
def test_workers_of_a_machine_take_turns_at_its_gpus(
    gpus: Callable[[int], None],
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    workers: int,
    device: str,
    expected: dict[str, int],
) -> None:
    gpus(count)
    given: list[str] = []
    all_at_once = threading.Barrier(workers, timeout=30)
    original, local = train.run, settings.local

    def on_the_cpu(*task: Any, device: str, **how: Any) -> RunRecord:
        given.append(device)
        all_at_once.wait()
        return original(*task, device="cpu", **how)

    monkeypatch.setattr(train, "run", on_the_cpu)
    as_threads = {"processes": False, "protocol": "tcp"}
    monkeypatch.setattr(settings, "local", lambda workers: local(workers) | as_threads)
    monkeypatch.setattr(cluster, "_stop", LocalCluster.close)  # the other one ends processes
    wanted = specs(source, workers, epochs=1)
    how: dict[str, Any] = {"device": device, "threads": 1, "progress": Spy()}
    made = sweep.run(
        wanted, data.load(source), RunStore(tmp_path), executor=f"local:{workers}", **how
    )
    assert [record.status for record in made] == ["done"] * workers
    assert Counter(given) == expected


@pytest.mark.slow
def test_worker_processes_have_numbers_to_take_turns_by() -> None:
    shared = Job("", "", ("cuda:0", "cuda:1"), 1, "")
    with cluster.connect(Place("local", 2), threads=1) as client:
        addresses = list(client.nthreads())
        asked = [client.submit(worker._device, shared, workers=a, pure=False) for a in addresses]
        assert sorted(one.result() for one in asked) == ["cuda:0", "cuda:1"]


# What a worker refuses


def job(store: RunStore, seal: str | None = None) -> Job:
    return Job(str(store.root), seal or store.seal(), ("cpu",), 1, "topic")


def test_a_worker_refuses_other_faces(source: str, tmp_path: Path) -> None:
    one, store = specs(source, 1)[0], RunStore(tmp_path)
    with pytest.raises(DataError) as caught:
        make(Task("0", one, source, "elsewhere", 1), job(store))
    assert "expected the study's faces with fingerprint elsewhere, found" in str(caught.value)
    assert source in str(caught.value)


def test_a_worker_refuses_a_store_that_is_not_the_study_s(source: str, tmp_path: Path) -> None:
    one, faces = specs(source, 1)[0], data.load(source)
    name = identity(one, faces)
    with pytest.raises(StoreError, match="must see one shared folder"):
        make(Task(name, one, source, faces.fingerprint, 1), job(RunStore(tmp_path), "other"))


def test_a_worker_refuses_to_make_another_run(source: str, tmp_path: Path) -> None:
    one, faces, store = specs(source, 1)[0], data.load(source), RunStore(tmp_path)
    with pytest.raises(StoreError, match="its fercore is not the study's"):
        make(Task("0" * 12, one, source, faces.fingerprint, 1), job(store))
    assert store.ids() == []


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"\xff\xfe", b"3"])
def test_a_spoilt_scheduler_file_is_one_message(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "scheduler.json"
    file.write_bytes(content)
    with pytest.raises(ExecutorError, match=r"a Dask scheduler, .* found another in .*r\.json"):
        cluster._reach(f"file:{file}")


@pytest.mark.parametrize("address", ["", "3", "tcp://", "tls://127.0.0.1:1"])
def test_an_address_that_dask_cannot_use_is_one_message(tmp_path: Path, address: str) -> None:
    """Of TLS: there are no certificates here."""
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": address}))
    with pytest.raises(ExecutorError, match="expected a Dask scheduler, none answers: "):
        cluster._reach(f"file:{file}")


def test_no_scheduler_is_one_message(source: str, tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match=r"EXECUTOR=file:.*there is no file .*none\.json"):
        sweep.run(
            specs(source, 1),
            data.load(source),
            RunStore(tmp_path),
            executor=f"file:{tmp_path / 'none.json'}",
            progress=Spy(),
        )


@pytest.mark.parametrize("fault", [TypeError("TLS expects a context"), AssertionError()])
def test_whatever_dask_raises_on_an_address_is_one_message(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def client(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(cluster, "Client", client)
    words = "none answers: (TLS expects a context|AssertionError)$"
    with pytest.raises(ExecutorError, match=f"EXECUTOR=tls://here:1: expected .*{words}"):
        cluster._reach("tls://here:1")
