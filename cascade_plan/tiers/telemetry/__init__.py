"""Logs, custom metrics and alarms that the cloud keeps."""
