"""Who was hurt, what changed, what is odd, what is guilty, what is cleared: with evidence that anybody can run again."""
