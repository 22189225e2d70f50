"""The architecture file of the WebSocket cluster."""
