"""`make fuzz`: thousands of spoilt files per form through whatever reads files.

    python -m tests.fuzz_readers [--count N] [--seed N] [--first N] [--form FORM] [--keep FOLDER]

Each case follows from (seed, form, number) alone, so `--first` goes on where an earlier run was
stopped, and a case that went wrong is made again by the command that is printed with it.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests import fuzz_files
from tests.fuzz_more import MORE
from tests.fuzz_oracle import WrongError, judge

FORMS = {form: (make, judge) for form, make in fuzz_files.FORMS.items()} | MORE
SECONDS = 10
"""Most processor time that one file may take; a wait without work may be six times as long."""
MEMORY = 2 << 30
"""Bytes that one file may take beyond what is mapped already, used or not."""


class Hang(BaseException):
    """A file took too long; no `except Exception` stops it."""


def _hang(*_: object) -> None:
    raise Hang(f"more than {SECONDS} s")


def one(form: str, number: int, seed: int, root: Path, seconds: int = 0) -> str:
    """Make and judge one case in the folder root/case; raises `WrongError`.

    seconds: most processor time, where something listens to the alarm; 0: any time.
    """
    folder, cache = root / "case", root / "cache"
    os.environ["FERCORE_CACHE"] = str(cache)
    folder.mkdir(parents=True, exist_ok=True)
    make, judge = FORMS[form]
    case = make(Random(f"{seed}/{form}/{number}"), folder)
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(6 * seconds)
        return judge(case, cache)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for kept in cache.glob("*"):
            kept.unlink()


def fuzz(form: str, options: argparse.Namespace, root: Path) -> Counter[str]:
    """Try all cases of one form; what went wrong is printed and, if asked, kept."""
    counts: Counter[str] = Counter()
    for number in range(options.first, options.first + options.count):
        if number % 100 == 0:  # where even the alarm is not heard
            faulthandler.dump_traceback_later(20 * SECONDS, exit=True)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, resource.RLIM_INFINITY))
        try:
            counts[one(form, number, options.seed, root, SECONDS)] += 1
        except WrongError as wrong:
            counts["wrong"] += 1
            print(
                f"\n{wrong}\n  python -m tests.fuzz_readers --seed {options.seed} --count 1 "
                f"--first {number} --form '{form}'",
                flush=True,
            )
            if options.keep:
                shutil.copytree(root / "case", options.keep / f"{form}-{number}", symlinks=True)
        _clear(root / "case")
    return counts


def _clear(folder: Path) -> None:
    """As rmtree, but the folder itself stays: making and removing it takes longest of all."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def main() -> int:
    """Print a table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="cases per form")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--form", action="append", choices=FORMS, help="repeatable; default: all")
    parser.add_argument("--keep", type=Path, help="folder for the files that went wrong")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _hang)
    signal.signal(signal.SIGPROF, _hang)
    print(
        f"{'form':<24}{'tried':>8}{'loaded':>8}{'refused':>8}{'wrong':>8}"
        f"{'seconds':>9}{'peak MB':>9}"
    )
    wrong = 0
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        for form in options.form or FORMS:
            began = time.monotonic()
            found = fuzz(form, options, Path(name))
            wrong += found["wrong"]
            cells = [found.total(), found["loaded"], found["refused"], found["wrong"]]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{form:<24}"
                + "".join(f"{cell:>8,}" for cell in cells)
                + f"{time.monotonic() - began:>9.0f}{peak:>9,}",
                flush=True,
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
