"""Who is likely to stay, what goes with staying, and whom to contact."""
