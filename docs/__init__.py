"""What makes pages of the documentation that are better made than written."""
