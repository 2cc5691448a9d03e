"""The paper's tables on data that anyone can make: runs, their cache, spreads and findings."""
