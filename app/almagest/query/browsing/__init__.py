"""Stored results looked at in pieces: pages in any order, columns, statistics, counts in bins, files of chosen rows."""
