"""Drafts of source files: what exported files hold, settled with a person, tried out and worded."""
