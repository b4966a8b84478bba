"""Who looks at birds: the ideal observer, and annotators that are simulated by it."""
