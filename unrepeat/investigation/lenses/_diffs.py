"""Reads a diff for what it does to behaviour: numbers that change, safeguards that go, work that is added. Not a compiler: it counts words."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

_INERT_FILE = re.compile(
    r"(^|/)(docs?|testdata|fixtures|\.github|static|locales?)/|_test\.|(^|/)tests?/|(^|/)test_|\.(md|rst|txt|css|scss|svg|png|html)$"
    r"|CODEOWNERS|LICENSE|CHANGELOG|\.golden|golden\.",
    re.IGNORECASE,
)
_DEPENDENCY_FILE = re.compile(
    r"go\.(mod|sum)|package(-lock)?\.json|requirements.*\.(txt|in)$|poetry\.lock|Cargo\.|pom\.xml|yarn\.lock",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*(//|#|\*|/\*|--\s|<!--)")
_LOGGING = re.compile(r"\blog(ger)?\b|LOG_|print(f|ln)?\(|\.Inc\(|Counter|metric|span\.Set", re.IGNORECASE)
_VERSION = re.compile(r"\bv?\d+\.\d+(\.\d+)+|version", re.IGNORECASE)
_DURATION = re.compile(
    r"(\d+(?:\.\d+)?)\s*\*\s*time\.(Nanosecond|Microsecond|Millisecond|Second|Minute|Hour)"
    r"|\b(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)\b"
)
_SECONDS = {
    "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0, "hour": 3600.0,
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.])(-?\d[\d_]*(?:\.\d+)?)(?![\w.])")
_NAMED = re.compile(r"^[\"']?([A-Za-z_][\w.\-]*)[\"']?\s*[:=]\s*([\"']?)([A-Za-z][\w./:\-]*)\2\s*,?$")
_SETTINGS_FILE = re.compile(r"\.(ya?ml|toml|json|ini|env|conf|cfg|properties|hcl|tf)$|config|settings", re.IGNORECASE)
_OPERATORS = re.compile(r"<=|>=|==|!=|&&|\|\||[<>!]|\b(?:and|or|not)\b")
_SAFEGUARD = re.compile(
    r"\b(r?w?lock|unlock|mutex|synchronized|semaphore|acquire|close|release|dispose|free|cancel|sleep|backoff|retry|retries|limit|timeout|deadline"
    r"|validate|sanitize|escape|rollback|unsubscribe|evict|expire|flush|fsync|clamp|bound|cap|pool|cache|index|breaker|throttle|lru|ttl|maxsize)",
    re.IGNORECASE,
)
_NOTHING_CHECK = re.compile(
    r"(\w[\w.\[\]()]*)\s*(?:==|!=|is not|is)\s*(?:nil|null|None|undefined|nullptr)\b|\b(?:len|size|length)\(?\)?\s*[=!<>]"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a diff does: `weight` 0 is nothing, 1 much; `why` says it in a few words."""

    weight: float
    why: str


def read_diff(diff: str, files: tuple[str, ...]) -> Reading:
    """The strongest thing that a diff does to behaviour."""
    if is_inert(files):
        return Reading(0.0, "only touches documents, tests or looks")
    if files and all(_DEPENDENCY_FILE.search(name) for name in files):
        return _dependencies(diff)
    removed, added = _lines(diff)
    if not removed and not added:
        return Reading(0.0, "changes nothing that runs" if diff else "its diff is not known")
    found = [
        _values(removed, added),
        _safeguards(removed, added),
        _settings(removed, added, files),
        _conditions(removed, added),
        _literals(removed, added),
        _work(removed, added),
    ]
    best = max(found, key=lambda reading: reading.weight)
    return best if best.weight > 0 else Reading(0.05, "moves code without changing what it does")


def is_inert(files: tuple[str, ...]) -> bool:
    """Whether all of the files are documents, tests or looks; a list of dependencies is none of them, whatever its ending."""
    return bool(files) and all(_INERT_FILE.search(name) and not _DEPENDENCY_FILE.search(name) for name in files)


def words_of(text: str) -> frozenset[str]:
    """The words of a text, camelCase and snake_case taken apart, endings cut, short ones left out."""
    return frozenset(_stem(word) for word in {*_WORDS.findall(text)} if len(word) > 2)


@lru_cache(maxsize=65536)
def _stem(spelt: str) -> str:
    word = spelt.lower()
    for ending in ("ations", "ation", "ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _lines(diff: str) -> tuple[list[str], list[str]]:
    """Removed and added lines that run; moved lines (same text on both sides) cancel out."""
    removed, added = [], []
    for line in diff.splitlines():
        if line.startswith(("---", "+++", "@@")) or _COMMENT.match(line[1:]):
            continue
        text = " ".join(line[1:].split())
        if line.startswith("-") and text:
            removed.append(text)
        elif line.startswith("+") and text:
            added.append(text)
    both = Counter(removed) & Counter(added)
    return _without(removed, both), _without(added, both)


def _without(lines: list[str], both: Counter[str]) -> list[str]:
    left, kept = Counter(both), []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            kept.append(line)
    return kept


def _numbers(lines: list[str]) -> Counter[float]:
    """All numbers in the lines, lengths of time in seconds; version strings left out."""
    found: Counter[float] = Counter()
    for line in lines:
        if _VERSION.search(line):
            continue
        rest = line
        for match in _DURATION.finditer(line):
            value, unit = (match[1], match[2].lower()) if match[1] else (match[3], match[4])
            found[float(value) * _SECONDS[unit]] += 1
            rest = rest.replace(match[0], " ")
        for text in _NUMBER.findall(rest):
            found[abs(float(text.replace("_", "")))] += 1
    return found


def _values(removed: list[str], added: list[str]) -> Reading:
    """Numbers that were replaced by others. Tenfold is much, a fifth more is little."""
    before, after = _numbers(removed), _numbers(added)
    gone, new = list((before - after).elements()), list((after - before).elements())
    if not gone or not new:
        return Reading(0.0, "")
    pairs = [(min(gone, key=lambda old: _far(old, now)), now) for now in new]
    old, now = max(pairs, key=lambda pair: _far(*pair))
    return Reading(min(1.0, _far(old, now) / math.log(8.0)), f"changes {old:g} to {now:g}")


def _far(old: float, now: float) -> float:
    if old <= 0 or now <= 0:
        return math.log(8.0)
    return abs(math.log(now / old))


def _safeguards(removed: list[str], added: list[str]) -> Reading:
    """Locks, closes, limits, waits and checks for nothing that went and did not come back. Errors merely passed on do not count."""
    lost: Counter[str] = Counter()
    for lines, sign in ((removed, 1), (added, -1)):
        for line in lines:
            if _LOGGING.search(line):
                continue
            for match in _SAFEGUARD.finditer(line):
                lost[match[1].lower()] += sign
            for match in _NOTHING_CHECK.finditer(line):
                subject = (match[1] or "size").rpartition(".")[2].lower()
                lost["check of " + subject] += 0 if subject in ("err", "error", "e", "exc") else sign
    gone = sorted(name for name, count in lost.items() if count > 0)
    if not gone:
        return Reading(0.0, "")
    return Reading(min(1.0, 0.5 + 0.2 * sum(lost[name] for name in gone)), f"takes away {', '.join(gone[:3])}")


def _settings(removed: list[str], added: list[str], files: tuple[str, ...]) -> Reading:
    """A named setting with another word for a value: `level: info` to `level: debug`, true to false, one host to another; or gone."""
    free = any(_SETTINGS_FILE.search(name) for name in files)
    before, after = _named(removed, free), _named(added, free)
    changed = [
        name for name in before if name in after and before[name] != after[name] and "version" not in name.lower()
    ]
    if changed:
        name = changed[0]
        return Reading(0.8, f"sets {name} from {before[name]} to {after[name]}")
    gone = [name for name in before if name not in after]
    if free and gone and not added:
        return Reading(0.6, f"takes away the setting {gone[0]}")
    return Reading(0.0, "")


def _named(lines: list[str], free: bool) -> dict[str, str]:
    """Names and values; outside of settings files only values that are plainly literal."""
    found = {}
    for line in lines:
        match = _NAMED.search(line)
        if match and (free or match[2] or match[3] in ("true", "false", "True", "False")):
            found[match[1]] = match[3]
    return found


def _conditions(removed: list[str], added: list[str]) -> Reading:
    """The same line with another comparison in it."""
    masked = {_OPERATORS.sub("~", line): _OPERATORS.findall(line) for line in removed}
    for line in added:
        before = masked.get(_OPERATORS.sub("~", line))
        if before is not None and before != _OPERATORS.findall(line):
            return Reading(0.6, "turns a condition around")
    return Reading(0.0, "")


_LOOP = re.compile(r"\b(for|while|forEach)\b|\.map\(")
_COSTLY = re.compile(r"query\w*\(|select |fetch\w*\(|\.do\(|exec\w*\(|compile\(|readall|\b\w*lock\(", re.IGNORECASE)
_WAITS = re.compile(r"\bsleep\(", re.IGNORECASE)
_SPAWNS = re.compile(r"\bgo func\b|\bThread\(|\bspawn\b|setInterval\(|create_task\(", re.IGNORECASE)
_KEEPS = re.compile(r"\bappend\(|\.push\(|\.add\(|\w\[[^\]]+\]\s*=[^=]|\bglobal\b|\bstatic\b", re.IGNORECASE)
_DESTRUCTIVE = re.compile(
    r"\bdrop (table|index|column)\b|\bdelete from\b|\btruncate\b|alter table|lock table", re.IGNORECASE
)
_BACKTRACKING = re.compile(r"\([^()]*[+*][^()]*\)[+*]")


def _work(removed: list[str], added: list[str]) -> Reading:
    """Work that is new: costly calls in a loop, waits, things kept for ever, statements that destroy or lock."""
    running = [line for line in added if not _LOGGING.search(line)]
    new_loop = _more(_LOOP, [], running) > 0 and _more(_LOOP, [], removed) == 0
    pattern = any("re" in line.lower() and _BACKTRACKING.search(line) for line in running)
    signs = (
        (_more(_DESTRUCTIVE, [], running) > 0, 0.8, "changes or destroys stored data"),
        (pattern, 0.8, "brings a pattern that can take for ever"),
        (new_loop and _more(_COSTLY, [], running) > 0, 0.7, "does costly work in a loop"),
        (_more(_WAITS, removed, running) > 0, 0.6, "waits where it did not wait"),
        (_more(_KEEPS, removed, running) > 0 and not removed, 0.5, "keeps more than before"),
        (_more(_SPAWNS, removed, running) > 0, 0.4, "starts work in the background"),
        (_more(_COSTLY, removed, running) > 0 and bool(removed), 0.2, "does more work than before"),
        (bool(running) and not removed, 0.15, "adds code"),
    )
    return next((Reading(weight, why) for seen, weight, why in signs if seen), Reading(0.0, ""))


def _more(pattern: re.Pattern[str], removed: list[str], added: list[str]) -> int:
    return sum(bool(pattern.search(line)) for line in added) - sum(bool(pattern.search(line)) for line in removed)


_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_SPOKEN = re.compile(r"error|errorf|exception|panic|throw|raise|title|label|message|usage|help", re.IGNORECASE)


def _literals(removed: list[str], added: list[str]) -> Reading:
    """The same line with another text in it: a field, a topic, an address. What is only said to people does not count."""
    masked = {
        _TEXT.sub("~", line): _TEXT.findall(line) for line in removed if _TEXT.search(line) and not _SPOKEN.search(line)
    }
    for line in added:
        before = masked.get(_TEXT.sub("~", line))
        if (
            before is not None
            and before != _TEXT.findall(line)
            and not _LOGGING.search(line)
            and not _VERSION.search(line)
        ):
            return Reading(0.5, "puts another name or address in")
    return Reading(0.0, "")


_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def _dependencies(diff: str) -> Reading:
    """A dependency's patch release is little, another major release is much."""
    removed, added = _lines(diff)
    old = [match.groups() for line in removed if (match := _RELEASE.search(line))]
    new = [match.groups() for line in added if (match := _RELEASE.search(line))]
    pairs = list(zip(old, new, strict=False))
    if any(before[0] != after[0] for before, after in pairs):
        return Reading(0.5, "moves to another major release of a dependency")
    return Reading(0.1, "takes a small release of a dependency")
