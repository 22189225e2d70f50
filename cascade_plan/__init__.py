"""A capacity planner and cost calculator: users in; a sized, priced, judged and deployable fleet out."""

__version__ = "0.1.0"
