"""What the figures are called that say how far a plan is from breaking its limits."""

from typing import Final

CPU: Final = "break_even.cpu_ratio"
CPU_MS: Final = "break_even.cpu_ms"
DATABASE: Final = "break_even.database_ratio"
DATABASE_MS: Final = "break_even.database_ms"
MOST: Final = 100.0
"""A factor that is looked no further than: with a hundred times the CPU time another system is planned."""
