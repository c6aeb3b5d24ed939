"""Almagest: the web application of an astronomical archive."""
