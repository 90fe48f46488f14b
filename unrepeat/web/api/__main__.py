"""Writes the generated reference: `python -m unrepeat.web.api` in the repository's root."""

from __future__ import annotations

import os
from pathlib import Path

REFERENCE = Path("docs/reference")


def main() -> None:
    """Bring docs/reference/openapi.json and the table in docs/reference/api.md up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")
    import django

    django.setup()
    from unrepeat.web.api.reference import with_table
    from unrepeat.web.api.urls import document

    page = REFERENCE / "api.md"
    page.write_text(with_table(page.read_text()))
    (REFERENCE / "openapi.json").write_text(document())


if __name__ == "__main__":
    main()
