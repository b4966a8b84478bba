"""The one loop, the store, and where work is done."""
