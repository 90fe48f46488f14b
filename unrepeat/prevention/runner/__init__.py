"""What guards that only a runner may run are made of: commands in a checkout, started services, files that hold values."""
