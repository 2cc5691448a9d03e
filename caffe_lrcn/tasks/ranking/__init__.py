"""People rank captions of several systems: a page to do so, and what came out (Table 8)."""
