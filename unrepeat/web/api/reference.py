"""The table of all operations for docs/reference/api.md."""

from __future__ import annotations

from unrepeat.web.access import Role
from unrepeat.web.api.face import need_said
from unrepeat.web.api.urls import api

BEGIN, END = "<!-- operations: generated -->", "<!-- end of operations -->"


def with_table(page: str) -> str:
    """The page with its table of operations as the code has them now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def table() -> str:
    """All operations by subject: what they are for, and the role they need."""
    lines: list[str] = []
    subject = ""
    for bound in api._get_bound_routers():  # noqa: SLF001 (django-ninja has no public way to list operations)
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                tag = (operation.tags or bound.tags or [""])[0]
                if tag != subject:
                    subject = tag
                    head = f"### {tag.capitalize()}\n\n| operation | what | role |\n|---|---|---|"
                    lines.append(f"\n{head}" if lines else head)
                method = operation.methods[0]
                role = need_said(operation.view_func).of(method)
                lines.append(f"| `{method} {path}` | {operation.summary} | {_word(role)} |")
    return "\n".join(lines) + "\n"


def _word(role: Role | None) -> str:
    return role.word if role else "anybody"
