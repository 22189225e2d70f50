"""Names that AWS accepts, made from names that Kubernetes accepts."""

from __future__ import annotations

import hashlib
import re
from typing import Final

LIMITS: Final = {
    "database": 63,
    "cache": 40,
    "balancer": 32,
    "node_group": 63,
    "scaling_group": 128,
    "security_group": 255,
    "cluster": 100,
    "queue": 80,
    "budget": 100,
    "group": 255,
    "role": 64,
    "bucket": 50,
    "secret": 512,
    "repository": 256,
}
"""Longest names, in characters: DBInstanceIdentifier, ReplicationGroupId (and users of ElastiCache), load balancer and
target group, node group, launch template (an Auto Scaling group's may be longer), security group, cluster, queue,
budget, subnet and parameter group, role, bucket (63, less a hyphen and the number of an account), secret, repository.
Sources: the API references of RDS, ElastiCache, Elastic Load Balancing v2, EKS, EC2, SQS, Budgets, IAM, S3, Secrets
Manager and ECR."""
_DIGITS: Final = 8


def aws_name(text: str, kind: str) -> str:
    """Return a name for a resource of a kind of LIMITS: letters, digits and single hyphens, starting with a letter.

    A name that is already one comes back as it is. One that had to change ends in a digest of the original, so that
    two names never become one. Raises KeyError for an unknown kind.

    >>> aws_name("cascade-database", "database"), aws_name("a--b", "cache")
    ('cascade-database', 'a-b-90827a2e')
    """
    limit = LIMITS[kind]
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9-]", "-", text.lower())).strip("-")
    plain = plain if plain[:1].isalpha() else f"x-{plain}".rstrip("-")
    if plain == text and len(plain) <= limit:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{plain[: limit - _DIGITS - 1].rstrip('-')}-{digest}"
