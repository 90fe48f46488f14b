"""The document: facts from the log, prose by people; draft, history, publish, formats, library and search."""
