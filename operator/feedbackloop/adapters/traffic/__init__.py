"""Reads the objects that split the traffic. They are written like every other object, by server-side apply."""

from feedbackloop.adapters.traffic.read import read_router

__all__ = ["read_router"]
