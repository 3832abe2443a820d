"""Many runs: each made once, those in the store only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fercore import train
from fercore.data.faces import Faces
from fercore.progress import Progress, choose
from fercore.record import RunRecord
from fercore.runs import RunStore
from fercore.spec import RunSpec


def run(
    specs: Iterable[RunSpec],
    faces: Faces | Mapping[str, Faces],
    store: RunStore,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[RunRecord]:
    """Return the record of each specification, in order; train those that the store lacks.

    faces: those of every specification, or one `Faces` for each spec.data.source. Equal
    specifications are trained once. A diverged run does not end the others. Interrupted at any
    time, the store holds what was finished, and the same call goes on from there.

    Raises what `fercore.train.run` raises, KeyError for a source without faces.
    """
    wanted: dict[str, tuple[RunSpec, Faces]] = {}
    names: list[str] = []
    for spec in specs:
        own = faces if isinstance(faces, Faces) else faces[spec.data.source]
        names.append(train.identity(spec, own))
        wanted.setdefault(names[-1], (spec, own))
    records = {name: record for name in wanted if (record := store.get(name))}
    progress = progress or choose()
    progress.study(len(wanted), done=len(records))
    try:
        for name, (spec, own) in wanted.items():
            if name not in records:
                records[name] = train.run(
                    spec, own, store, device=device, threads=threads, progress=progress
                )
    finally:
        progress.close()
    return [records[name] for name in names]
