"""Ends with status 1 when the file names no limit for visits."""

import sys

for number, line in enumerate(open(sys.argv[1]), 1):
    if line.startswith("visits_kept") and line.split("=")[1].strip() == "unlimited":
        sys.exit(f"{sys.argv[1]}:{number}: visits are kept without limit")
