"""The lab: a small online shop of real parts on loopback, and its outage of 12 August 2024."""
