"""Stored signals become a data set: pure stages in the middle, object storage and MLflow at the edge."""
