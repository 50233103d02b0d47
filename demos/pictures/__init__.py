"""README's pictures, and the code that draws them."""
