"""Plug-ins: text for people, each made from a plan and nothing else."""
