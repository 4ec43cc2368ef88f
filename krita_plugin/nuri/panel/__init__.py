"""The docker: widgets only, no logic that could be tested without a window."""
