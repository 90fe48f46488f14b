"""What the terminal asks git: which commit a checkout is at, and a commit checked out beside it for a while."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unrepeat.prevention.running import processes
from unrepeat.support.problems import Invalid

PATIENCE = 120.0  # seconds for one git command
MOST_UNTRACKED = 200  # files that are looked into


def commit_of(folder: Path) -> str:
    """The commit of a checkout; with `+dirty.` and a digest of what differs when it has changes; empty when it is none."""
    found = _git(folder, "rev-parse", "--verify", "HEAD")
    if found is None:
        return ""
    commit = found.strip()
    changed = (_git(folder, "diff", "HEAD", "--", ".", ":(exclude).unrepeat") or "") + _untracked(folder)
    return f"{commit}+dirty.{hashlib.sha256(changed.encode()).hexdigest()[:12]}" if changed else commit


@contextmanager
def checked_out(repo: Path, ref: str) -> Iterator[tuple[Path, str]]:
    """A folder with the files of `ref`, and its commit; it is taken away afterwards. Invalid when there is no such ref."""
    found = _git(repo, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    if found is None:
        raise Invalid(
            f"There is no commit “{ref}”.", f"git does not know it in {repo}.", "Fetch it, or name another (`--repo`)."
        )
    commit, home = found.strip(), Path(tempfile.mkdtemp(prefix="unrepeat-tree-"))
    tree = home / "tree"
    try:
        if _git(repo, "worktree", "add", "--detach", "--force", str(tree), commit) is None:
            raise Invalid(f"The commit {commit[:12]} could not be checked out.", "git refused.", "Look at the disk.")
        yield tree, commit
    finally:
        _git(repo, "worktree", "remove", "--force", "--force", str(tree))
        shutil.rmtree(home, ignore_errors=True)
        _git(repo, "worktree", "prune")


def root_of(folder: Path) -> Path:
    """The root of the checkout that a folder is in; Invalid when it is in none."""
    found = _git(folder, "rev-parse", "--show-toplevel")
    if found is None:
        raise Invalid(f"{folder} is in no git repository.", "git says so.", "Name the repository: --repo PATH.")
    return Path(found.strip())


def inside(folder: Path) -> str:
    """Where in its repository a folder is, with slashes; empty at the root, and outside any repository."""
    return (_git(folder, "rev-parse", "--show-prefix") or "").strip()


def _untracked(folder: Path) -> str:
    names = _git(folder, "ls-files", "--others", "--exclude-standard", "--", ".", ":(exclude).unrepeat") or ""
    said = []
    for name in names.splitlines()[:MOST_UNTRACKED]:
        file = folder / name
        said.append(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ''}")
    return "\n".join(said)


def _git(folder: Path, *words: str) -> str | None:
    """What git prints; None when it refuses or is not there."""
    ended = processes.run(["git", "-C", str(folder), *words], seconds=PATIENCE)
    return ended.output if ended.status == 0 else None
