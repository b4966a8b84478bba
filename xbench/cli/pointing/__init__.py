"""Pointing: from what somebody wrote to what they can write instead."""
