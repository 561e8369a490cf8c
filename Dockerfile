# animatte with its page and HTTP interface; the same image cuts photos out on the command line.
# docs/serve.md says how to build and run it. Nothing is downloaded once it is built: the default
# model is in the package.

FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY recipes recipes
RUN python -m venv /opt/animatte \
    && /opt/animatte/bin/python -m pip install --no-cache-dir --disable-pip-version-check '.[serve]'

FROM python:3.12-slim
LABEL org.opencontainers.image.title="animatte" \
      org.opencontainers.image.description="Cuts animals out of photos, down to the whiskers" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin animatte
COPY --from=build /opt/animatte /opt/animatte
ENV PATH="/opt/animatte/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /photos
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["animatte"]
CMD ["serve", "--host", "0.0.0.0"]
