"""What makes pictures and what measures them: the two values that nodes are wired with."""
