"""Images, labels, annotations, and what is known of classes."""
