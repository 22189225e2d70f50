"""Telemetry that the cloud keeps: logs, custom metrics, alarms."""
