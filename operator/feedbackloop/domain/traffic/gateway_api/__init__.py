"""A Gateway API implementation splits, by one named rule of an HTTPRoute.

buckets    which sessions go to the canary
rules      the rules that are ours
route      what is read of the route and what is applied to it
observe    what the router does with it
"""

from feedbackloop.domain.traffic.gateway_api.observe import observe
from feedbackloop.domain.traffic.gateway_api.route import API_VERSION, Route, routes, to_apply

__all__ = ["API_VERSION", "Route", "observe", "routes", "to_apply"]
