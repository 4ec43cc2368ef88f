"""Copies of the artist's document, and the pixels that are read from them."""
