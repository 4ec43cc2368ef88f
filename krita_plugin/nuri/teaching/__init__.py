"""Teach this style: the coloured frames or pages at hand become a named style."""
