"""Guards running: on the server by patrol, on request, and as runners report them."""
