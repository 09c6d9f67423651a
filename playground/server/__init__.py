"""The web server: ASGI application, identity, long-lived services, and the routes that components call."""
