"""nginx before the WebSocket nodes."""
