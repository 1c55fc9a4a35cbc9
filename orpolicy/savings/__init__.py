"""What a finding is worth, and the sum in which no dollar counts twice."""
