"""What the sessions team keeps in its repository so that 12 August does not come back: guards, and the load test that one of them runs."""
