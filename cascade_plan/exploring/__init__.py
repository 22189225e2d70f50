"""A page of one's own machine on which a scenario is changed while its plan is watched."""
