"""What the policies would have said at the end of each past week."""
