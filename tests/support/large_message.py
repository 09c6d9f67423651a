"""A page of Streamlit's with a large message that comes and goes."""

import streamlit as st

st.session_state.run = st.session_state.get("run", -1) + 1
st.button("Run")
if st.checkbox("Message", value=True):
    st.markdown("A large message. " * 1000)
st.caption(f"Run {st.session_state.run}")
