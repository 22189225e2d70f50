"""Plug-ins: files for machines, each made from a plan and nothing else."""
