"""Any attribution class of Captum, by its name."""
