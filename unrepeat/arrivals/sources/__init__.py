"""One file a source kind; `unrepeat.arrivals.kind` says what each must have."""
