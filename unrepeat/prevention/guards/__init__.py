"""One file a guard kind; its face is `prevention.kind.Kind`. Samples stand in `prevention/samples/KIND/`."""
