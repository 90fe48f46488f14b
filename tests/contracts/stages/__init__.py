"""One file a guard kind whose sample needs real parts round it: `staged(sample, tools)` gives what is red and what is green."""
