"""The pages that participants meet, and the server that shows them."""
