"""The leaderboard from Python: entries submitted, checked against what is installed, added."""
