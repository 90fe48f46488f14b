"""`python -m unrepeat`."""

from unrepeat.terminal import main

main()
