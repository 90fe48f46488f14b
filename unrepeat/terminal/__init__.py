"""The command line, one file a command group."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")
    import django

    django.setup()
