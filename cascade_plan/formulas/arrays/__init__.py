"""Formulas for many worlds at once, each the same as its scalar sibling in arrays."""
