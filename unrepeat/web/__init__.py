"""The edge: sign-in, pages, API and live streams. Joins rooms in one request, and is the place where access is checked."""
