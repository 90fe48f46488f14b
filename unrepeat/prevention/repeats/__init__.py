"""Has a past failure come back? Matched by signs and words, confirmed by people, counted."""
