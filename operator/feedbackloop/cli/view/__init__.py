"""What `feedbackloop status` shows: pure functions from status to lines; the terminal's width and colours come in."""
