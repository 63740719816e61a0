# The one image: every role of the program is a command of it, `service` unless another is given. It needs neither
# BuildKit nor anything beside this repository: docker build -t auth-service:latest .

# What cargo has to know to build the dependencies alone: the manifests, and sources that hold nothing. As long as these
# come out the same, the layers of dependencies below are kept, whatever else has changed.
FROM rust:1.95.0-slim-bookworm AS manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests \
    && cp --parents Cargo.toml Cargo.lock ./*/Cargo.toml /manifests \
    && for source in */src/lib.rs */src/main.rs; do \
        mkdir -p "/manifests/${source%/*}" && echo 'fn main() {}' > "/manifests/$source" || exit 1; \
    done

FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY --from=manifests /manifests .
RUN cargo build --release --locked --package auth-system
COPY . .
# Cargo goes by times, and the sources may be older than what was built of the empty ones.
RUN find . -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --offline --package auth-system

FROM debian:bookworm-20260518-slim
# Versions are Debian's security updates of the day, also of what the base has: pinned ones leave its archive when they
# are replaced.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 1000 -g 1000 /app /app/data /app/keys
COPY --from=build /src/target/release/auth-system /usr/local/bin/auth-system
# Whoever else is in a container's network is there to be served. A port alone would mean loopback in development.
ENV SERVICE_ADDR=0.0.0.0:8000 \
    GATEWAY_ADDR=0.0.0.0:8080 \
    ADMIN_ADDR=0.0.0.0:5173
WORKDIR /app
# The first user of Amazon Linux and of most others has this number: keys of mode 0600 that it mounts can be read.
USER 1000:1000
EXPOSE 8000 8080 5173
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["curl", "-f", "http://localhost:8000/api/v1/health"]
ENTRYPOINT ["auth-system"]
CMD ["service"]
