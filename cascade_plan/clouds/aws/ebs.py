"""What a gp3 volume does without being paid apart."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.catalogue import DiskRate

GP3: Final = DiskRate(3000, 125 * 2**20)
"""At any size, of an EC2 instance: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html"""
