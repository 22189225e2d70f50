FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/cascade-plan \
    && /opt/cascade-plan/bin/pip install --no-cache-dir -c constraints.txt '.[mcp]'

FROM python:3.13-slim
# Which git is installed decides nothing of a plan: the distribution's newest has its fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home cascade \
    && git config --system --add safe.directory /work
COPY --from=build /opt/cascade-plan /opt/cascade-plan
ENV PATH="/opt/cascade-plan/bin:$PATH" CASCADE_PLAN_CACHE_DIR=/tmp/cascade-plan
USER 10001
WORKDIR /work
ENTRYPOINT ["cascade-plan"]
CMD ["--help"]
