# syntax=docker/dockerfile:1
#
# PyTorch for the processor, about 5 GB less:   docker build -t pytorch-playground .
# PyTorch with CUDA:                            docker build -t pytorch-playground:cuda --build-arg TORCH=cuda .
# Start it:                                     docker run --init -p 8501:8501 -v playground:/playground pytorch-playground
# With a GPU:                                   docker run --init --gpus all -p 8501:8501 -v playground:/playground pytorch-playground:cuda
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ARG TORCH=cpu
ENV PATH=/opt/playground/bin:$PATH
RUN python -m venv /opt/playground
WORKDIR /source
# The dependencies first: they change less often than the code, and take most of the time.
COPY constraints.txt requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ "$TORCH" = cpu ]; then export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu; fi; \
    python -m pip install -r requirements.txt -c constraints.txt
COPY pyproject.toml README.md LICENSE streamlit_app.py ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY models models
COPY pages pages
COPY playground playground
RUN --mount=type=cache,target=/root/.cache/pip python -m pip install --no-deps .

FROM python:${PYTHON}
RUN useradd --create-home --uid 1000 learner && install --directory --owner learner /playground
COPY --from=build /opt/playground /opt/playground
ENV PATH=/opt/playground/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PLAYGROUND_HOME=/playground \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER learner
WORKDIR /home/learner
# Data sets, runs and networks of one's own stay when the container goes.
VOLUME /playground
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["pytorch-playground"]
CMD ["serve", "--address", "0.0.0.0", "--no-browser"]
