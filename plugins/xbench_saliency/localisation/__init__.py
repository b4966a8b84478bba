"""Where maps lie: their maximum and their positive values, inside or outside masks."""
