"""The entry: `streamlit run` finds it and serves the app with its routes."""

import streamlit as st

from playground.server.asgi import MIDDLEWARE, ROUTES, SCRIPT, lifespan

app = st.App(SCRIPT, lifespan=lifespan, routes=ROUTES, middleware=MIDDLEWARE)
