"""Colorize animation: which frames are due, how they are sent, and the sheet they come back to."""
