"""Terraform for what AWS runs."""
