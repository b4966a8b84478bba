"""What participants are shown, and the folder that a study lies in."""
