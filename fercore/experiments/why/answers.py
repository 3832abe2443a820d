"""The sentences: which explanations hold, and what was found of each."""

from __future__ import annotations

import pandas as pd

from fercore.analysis import Row
from fercore.display import Text
from fercore.experiments.verdicts import FREEDOM, MARGIN, summary
from fercore.experiments.why.words import SUBJECTS, TITLES, in_points, nothing_tried
from fercore.language import mark, paragraph, say
from fercore.sentences.words import ANSWER

OUTCOMES = mark(
    (
        "supported",
        "supported in part",
        "not supported",
        "undecided",
        "too few seeds",
        "failed",
        "not tried",
    )
)

NOTHING_TRIED = mark(
    "**Answer.** None: no hypothesis was tried here. HYPOTHESES names those to try, SIZES and "
    "LARGE the sizes at which, as HYPOTHESES=head,block SIZES=25000,60000."
)


def answer(judged: pd.DataFrame, split: str, note: str = "") -> Text:
    """Which explanations hold, which do not, and of which nothing can be said."""
    if nothing_tried(judged):
        return Text(say(NOTHING_TRIED))
    verdicts = summary(judged)
    lines = []
    for outcome in OUTCOMES:
        named = [say(TITLES[name]) for name, verdict in verdicts.items() if verdict == outcome]
        if named:
            listed = say(", ").join(named)
            lines.append(say("- {outcome}: {hypotheses}", outcome=say(outcome), hypotheses=listed))
    head = say(ANSWER, about=split, note=note)
    return Text(f"{head}\n\n" + "\n".join(lines) + _too_few(judged))


def _too_few(judged: pd.DataFrame) -> str:
    if "too few seeds" not in set(judged["verdict"]):
        return ""
    said = say(
        "Too few seeds: fewer than {freedom} degrees of freedom; each seed of a size after its "
        "first gives one. Differences are shown, and no conclusion is drawn from them.",
        freedom=FREEDOM,
    )
    return f"\n\n{said}"


def finding(judged: pd.DataFrame, name: str) -> Text:
    """The claim of one hypothesis, and what was found in each of its changes."""
    part: list[Row] = judged[judged["hypothesis"] == name].to_dict("records")
    claim = say("> *Claim:* {claim}", claim=say(part[0]["claim"]))
    if part[0]["verdict"] == "not tried":
        untried = say("Not tried here: {reason}.", reason=say(part[0]["untried"]))
        return Text(f"{claim}\n\n{untried}")
    lines = [f"- {_found(row)}" for row in part]
    return Text(f"{claim}\n\n" + "\n".join(lines))


def _found(row: Row) -> str:
    about = {"subject": say(SUBJECTS[row["subject"]]), "change": say(row["change"])}
    if row["verdict"] == "failed":
        nothing = mark(
            "{subject}, {change}: no pair of runs has both figures (a run did not stay finite, or "
            "its record is older than the measurement), so nothing is shown."
        )
        return say(nothing, **about)
    shown = say(
        "{subject}, {change}: **{difference}**.",
        **about,
        difference=in_points(row["difference"], row["high"]),
    )
    failed = say(
        "Pairs without both figures (a run did not stay finite, or its record is older than the "
        "measurement): {failed:.0f}.",
        failed=row["failed"],
    )
    return paragraph(shown, _says(row), _leads(row), failed if row["failed"] else "")


def _says(row: Row) -> str:
    match row["verdict"]:
        case "too few seeds":
            return say("Too few seeds to conclude.")
        case "supported" if row["directed"]:
            return say("Supported.")
        case "supported":
            return say("Supported: it matters.")
        case "not supported" if row["high"] < 0 and row["directed"]:
            return say("Not supported: the opposite holds.")
        case "not supported":
            margin = 100 * MARGIN
            return say(
                "Not supported: an effect of {margin:.0f} point is ruled out.", margin=margin
            )
    return say("Undecided: neither no effect nor an effect worth the name is ruled out.")


def _leads(row: Row) -> str:
    """For leads: what they were on both sides, and whether their sign changes."""
    if row["subject"] != "lead":
        return ""
    ours, theirs = row["treatment"], row["control"]
    leads = {"theirs": in_points(theirs), "ours": in_points(ours)}
    if ours * theirs < 0:
        return say(
            "By the means, MobileNet's lead goes from {theirs} to {ours}: its sign changes.",
            **leads,
        )
    return say(
        "By the means, MobileNet's lead goes from {theirs} to {ours}: its sign does not change.",
        **leads,
    )
