"""Rollouts on a real node under continuous traffic, with something going wrong in every phase."""
