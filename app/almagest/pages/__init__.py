"""The pages that people read, and the frame around them."""
