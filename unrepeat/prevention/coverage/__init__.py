"""Would today's guards catch each past outage? Asked every night, kept as a matrix."""
