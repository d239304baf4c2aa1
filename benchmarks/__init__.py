"""Speed, memory and correctness against peers, runnable by anyone; JSON out."""
