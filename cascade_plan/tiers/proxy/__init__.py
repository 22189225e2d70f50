"""The hosts of nginx before the WebSocket nodes."""
