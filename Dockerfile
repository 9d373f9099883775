# The daemon as a static binary on an image with authorities, time zones and a user, and nothing else:
#
#   docker build -t sloburn:0.1.0 .
#   docker run -p 9099:9099 -v "$PWD/my-slos:/slos:ro" -v "$PWD/alerts:/alerts:ro" -v sloburn:/var/lib/sloburn --read-only sloburn:0.1.0 \
#     run --prometheus http://prometheus:9090 --definitions /slos --alerts /alerts --listen 0.0.0.0:9099

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Caches outlive a build, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    make static PROFILE=image && mkdir -p /image/data && cp target/*/image/sloburn /image/

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /image/sloburn /usr/local/bin/sloburn
COPY --from=build --chown=65532:65532 /image/data /var/lib/sloburn
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
# The store is written here, and nothing anywhere else: the root may be read-only.
WORKDIR /var/lib/sloburn
EXPOSE 9099
ENTRYPOINT ["/usr/local/bin/sloburn"]
CMD ["run"]
