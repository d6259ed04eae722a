# One image for every part: the command says which. `docker run … wamtrail run receiver` is ["run", "receiver"].
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN scripts/install /opt/wamtrail

FROM python:3.13-slim
RUN groupadd --system --gid 10001 wamtrail \
    && useradd --system --uid 10001 --gid wamtrail --home-dir /var/lib/wamtrail --create-home \
        --shell /usr/sbin/nologin wamtrail
COPY --from=build /opt/wamtrail /opt/wamtrail
COPY deploy/healthcheck.py /opt/wamtrail/healthcheck.py
ENV PATH=/opt/wamtrail/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WAMTRAIL_RECEIVER_BIND=0.0.0.0:8080 \
    WAMTRAIL_CONSOLE_BIND=0.0.0.0:8081
# Without WAMTRAIL_DATABASE_URL the embedded database lies in this folder.
WORKDIR /var/lib/wamtrail
VOLUME /var/lib/wamtrail
USER 10001:10001
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# `run console`, `run processor` and `run sender` have no port 8080: name theirs, as compose.yaml does.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "/opt/wamtrail/healthcheck.py", "8080"]
ENTRYPOINT ["wamtrail"]
CMD ["run", "all"]
