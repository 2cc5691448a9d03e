"""What several layer types share. Nothing here is a type of its own."""
