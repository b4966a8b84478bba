"""Networks for 32-pixel images, which libraries of larger ones lack."""
