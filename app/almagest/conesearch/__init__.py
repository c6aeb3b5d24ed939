"""Simple Cone Search 1.03: `/conesearch/<schema>.<table>`, a thin face over `almagest.query`."""
