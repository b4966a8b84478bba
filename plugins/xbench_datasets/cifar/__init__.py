"""Small photographs of ten and of a hundred classes, and what people say of them."""
