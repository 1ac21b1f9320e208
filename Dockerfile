# Two stages on Debian 12: the second holds the program and the libraries it links to, no compiler and no PostgreSQL server,
# so that it needs --db (or PG* variables).
FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        gcc make libc6-dev pkg-config libpq-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libprotobuf-dev \
        libevent-dev libssl-dev zlib1g-dev libzstd-dev libxxhash-dev \
    && make -s all && make -s install DESTDIR=/out

FROM debian:12-slim
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        libpq5 libnghttp2-14 libprotobuf-c1 libevent-2.1-7 libevent-openssl-2.1-7 libevent-pthreads-2.1-7 libssl3 zlib1g libzstd1 libxxhash0 curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home spanledger
COPY --from=build /out/usr/local /usr/local
USER spanledger
EXPOSE 4318 4317
# Inside a container loopback reaches nobody. There are no keys yet: publish the ports on loopback only (docker-compose.yml does).
ENV SPANLEDGER_LISTEN=0.0.0.0:4318 SPANLEDGER_GRPC_LISTEN=0.0.0.0:4317 SPANLEDGER_AUTH=off
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD curl -fsS http://127.0.0.1:4318/readyz || exit 1
ENTRYPOINT ["/usr/local/bin/spanledger"]
CMD ["serve"]
