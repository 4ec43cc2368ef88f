"""Work that Krita never waits for: one file for each kind."""
