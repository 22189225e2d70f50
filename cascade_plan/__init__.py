"""A capacity planner: users in; a sized, priced, judged, deployable fleet out."""

__version__ = "0.1.0"
