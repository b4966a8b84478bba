"""What a study is: its description, and the designs that make one."""
