"""The public conformance suite: what every registered component must do, rule by rule."""
