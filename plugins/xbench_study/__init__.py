"""Studies with people: five designs, their pages, answers, people's rights, and their analysis."""
