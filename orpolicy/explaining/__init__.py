"""Policies and findings in plain words, as a careful colleague would explain them."""
