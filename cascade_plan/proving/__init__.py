"""The plan simulated: whole days through the autoscaler, requests one by one."""
