"""Static websites: buckets as pages on host names of their own."""
