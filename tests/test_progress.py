from __future__ import annotations

import re
import time
from functools import partial

import pytest
import tqdm.std

from fercore.progress import Bars, Lines, Progress, ProgressError, choose, duration


def tell(watch: Progress, epochs: int = 2, steps: int = 3) -> None:
    """A study of two runs, of which one is read."""
    watch.study(2, done=1)
    watch.run("a-cnn-1333k seed 1", epochs, steps)
    for _ in range(epochs):
        for _ in range(steps):
            watch.step()
        watch.epoch(1.42, 0.481)
    watch.end("done  valid 48.1 %")
    watch.close()


def test_lines_say_the_end_and_little_else(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Lines())
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "1 of 2 runs are there already",
        "[2/2] a-cnn-1333k seed 1  done  valid 48.1 %  0s",
    ]


def test_a_long_run_speaks_at_most_every_pause(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 4))  # each look at the clock is 4 seconds later
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    tell(Lines())
    lines = capsys.readouterr().err.splitlines()[1:-1]
    assert lines == [
        "[2/2] a-cnn-1333k seed 1  epoch 1/2  12s left",
        "[2/2] a-cnn-1333k seed 1  epoch 2/2  loss 1.42  valid 48.1 %  0s left",
    ]


def test_time_left_leaves_out_what_an_earlier_process_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0, 20])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    watch = Lines()
    watch.run("x", epochs=10, steps=1, done=8)
    watch.step()
    assert capsys.readouterr().err == "x  epoch 9/10  20s left\n"


def test_bars_show_study_run_and_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Bars(partial(tqdm.std.tqdm, mininterval=0))
    tell(watch)
    watch.close()  # twice does no harm
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"study: +50%.* 1/2", err)
    assert re.search(r"study: +100%.* 2/2 .*done  valid 48.1 %", err)
    assert re.search(r"a-cnn-1333k seed 1: +100%.* 2/2 .*loss 1\.42, valid 48\.1%", err)
    assert re.search(r"epoch 2: +67%.* 2/3", err)


def test_a_run_that_has_only_to_be_measured_has_no_epoch_beyond_its_last() -> None:
    watch = Bars(partial(tqdm.std.tqdm, mininterval=0))
    watch.run("x", epochs=3, steps=4, done=12)
    assert [bar.desc for bar in watch._bars] == ["x", "epoch 3"]
    watch.close()


def test_a_run_goes_on_in_the_middle_of_an_epoch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Bars(partial(tqdm.std.tqdm, mininterval=0))
    watch.run("x", epochs=3, steps=4, done=6)
    for steps in (2, 1):
        for _ in range(steps):
            watch.step()
        shown = watch._bars[1].format_dict
        assert shown["n"] - shown["initial"] == steps
        if steps == 2:
            watch.epoch(1.42, 0.481)
    assert watch._bars[0].n == 2
    assert re.search(r"epoch 2: +75%.* 3/4", capsys.readouterr().err)
    clock = iter([0, 20])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    lines = Lines()
    lines.run("x", epochs=3, steps=4, done=6)
    lines.step()
    assert capsys.readouterr().err.endswith("x  epoch 2/3  1m40s left\n")


def tell_of_others(watch: Progress) -> None:
    """Five runs at once in other processes, of which one ends."""
    watch.study(6, done=1)
    watch.note("Dask's dashboard: http://127.0.0.1:8787/status")
    for share in (0.0, 0.5):
        watch.elsewhere({f"cnn-10k seed {seed}": share for seed in range(5)})
    watch.ended("cnn-10k seed 0", "done  valid 48.1 %", 70)
    watch.elsewhere({})
    watch.close()


def test_lines_say_what_others_do(capsys: pytest.CaptureFixture[str]) -> None:
    tell_of_others(Lines())
    assert capsys.readouterr().err.splitlines() == [
        "1 of 6 runs are there already",
        "Dask's dashboard: http://127.0.0.1:8787/status",
        "[1/6] cnn-10k seed 0 0%, cnn-10k seed 1 0%, cnn-10k seed 2 0%, 2 more",
        "[2/6] cnn-10k seed 0  done  valid 48.1 %  1m10s",
    ]


def test_one_bar_shows_what_others_do(capsys: pytest.CaptureFixture[str]) -> None:
    tell_of_others(Bars(partial(tqdm.std.tqdm, mininterval=0)))
    err = capsys.readouterr().err
    assert "Dask's dashboard: http" in err
    assert re.search(r"1/6 .*cnn-10k seed 0 50%, cnn-10k seed 1 50%, .* 2 more", err)
    assert re.search(r"2/6 ", err)
    assert "epoch" not in err


def test_bars_outlive_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    watch = choose("bars")
    watch.run("x", 2, 3)
    watch.step()
    watch.close()
    watch.run("y", 2, 3, done=3)
    watch.end("done")
    assert "y:" in capsys.readouterr().err


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERCORE_PROGRESS", raising=False)
    assert type(choose()) is Lines  # stderr is no terminal here
    for word, kind in (("lines", Lines), ("off", Progress), ("bars", Bars)):
        monkeypatch.setenv("FERCORE_PROGRESS", word)
        assert type(choose()) is kind
    monkeypatch.setenv("FERCORE_PROGRESS", "loud")
    with pytest.raises(ProgressError, match="expected one of auto, bars, lines, off, found 'loud'"):
        choose()


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    tell(choose("off"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (70, "1m10s"), (3599, "59m59s"), (7500, "2h05m")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
