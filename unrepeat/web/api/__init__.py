"""The JSON API under /api/v1: one file a subject, all joined in `urls.py`; the face that they share is `face.py`."""
