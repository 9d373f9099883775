//! Every setting that exists: its key, its environment name and its default, in the order of printing.

/// What may stand behind a key of the configuration file.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// One value.
    One,
    /// One path; in a file, relative to that file's folder.
    Path,
    /// A list of paths; in a file, relative to that file's folder.
    Paths,
    /// A list of words.
    Words,
    /// Names of the user's choice, each with one value.
    Entries,
    /// A list of pages to scrape, each with its labels.
    Targets,
    /// These keys.
    Section(&'static [Key]),
    /// Names of the user's choice, each with these keys.
    Named(&'static [Key]),
}

/// One key. What has no value of its own has neither variable nor default.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// For what belongs to a source: the source `default`.
    pub(super) variable: &'static str,
    pub(super) default: Option<&'static str>,
}

/// The source that environment and flags speak of, and that objectives use when they name none.
pub(super) const DEFAULT_SOURCE: &str = "default";
/// Names the configuration file, as `--config` does.
pub(super) const CONFIG_VARIABLE: &str = "SLOBURN_CONFIG";
/// Names the daemon that commands ask, as their `--url` does.
pub const URL_VARIABLE: &str = "SLOBURN_URL";
/// Asked when no source is configured at all.
pub(super) const DEFAULT_URL: &str = "http://localhost:9090";

const fn key(name: &'static str, shape: Shape, variable: &'static str) -> Key {
    Key {
        name,
        shape,
        variable,
        default: None,
    }
}

impl Key {
    const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }
}

pub(super) const ROOT: &[Key] = &[
    key("definitions", Shape::Paths, "SLOBURN_DEFINITIONS").default("slo-definitions"),
    key("alerts", Shape::Paths, "SLOBURN_ALERTS").default("alerts"),
    key("tick", Shape::One, "SLOBURN_TICK").default("30s"),
    // Its default is the tick.
    key("slot", Shape::One, "SLOBURN_SLOT"),
    key("sources", Shape::Named(SOURCE), ""),
    key("store", Shape::Section(STORE), ""),
    key("listen", Shape::One, "SLOBURN_LISTEN").default("127.0.0.1:9099"),
    key("externalUrl", Shape::One, "SLOBURN_EXTERNAL_URL"),
    key("log", Shape::Section(LOG), ""),
];

const SOURCE: &[Key] = &[
    key("prometheus", Shape::Section(PROMETHEUS), ""),
    key("scrape", Shape::Section(SCRAPE), ""),
];

const PROMETHEUS: &[Key] = &[
    key("url", Shape::One, "SLOBURN_PROMETHEUS_URL"),
    key("timeout", Shape::One, "SLOBURN_PROMETHEUS_TIMEOUT").default("10s"),
    key(
        "bearerTokenFile",
        Shape::Path,
        "SLOBURN_PROMETHEUS_BEARER_TOKEN_FILE",
    ),
    key(
        "basicAuthFile",
        Shape::Path,
        "SLOBURN_PROMETHEUS_BASIC_AUTH_FILE",
    ),
    key("tls", Shape::Section(TLS), ""),
    key("headers", Shape::Entries, "SLOBURN_PROMETHEUS_HEADERS"),
    key("offset", Shape::One, "SLOBURN_PROMETHEUS_OFFSET").default("15s"),
    // Its default, five minutes, is rounded up to whole ticks.
    key("settle", Shape::One, "SLOBURN_PROMETHEUS_SETTLE"),
    key("matchers", Shape::One, "SLOBURN_PROMETHEUS_MATCHERS"),
    key("params", Shape::Entries, "SLOBURN_PROMETHEUS_PARAMS"),
    key("linkUrl", Shape::One, "SLOBURN_PROMETHEUS_LINK_URL"),
    key(
        "scrapeInterval",
        Shape::One,
        "SLOBURN_PROMETHEUS_SCRAPE_INTERVAL",
    ),
    key(
        "maxInFlight",
        Shape::One,
        "SLOBURN_PROMETHEUS_MAX_IN_FLIGHT",
    )
    .default("8"),
    key(
        "maxBodyBytes",
        Shape::One,
        "SLOBURN_PROMETHEUS_MAX_BODY_BYTES",
    )
    .default("134217728"),
    key("backfill", Shape::One, "SLOBURN_PROMETHEUS_BACKFILL").default("50%"),
    key(
        "seriesPerQuery",
        Shape::One,
        "SLOBURN_PROMETHEUS_SERIES_PER_QUERY",
    )
    .default("20000"),
    key(
        "pushDownAbove",
        Shape::One,
        "SLOBURN_PROMETHEUS_PUSH_DOWN_ABOVE",
    )
    .default("100000"),
    key("partial", Shape::One, "SLOBURN_PROMETHEUS_PARTIAL").default("hold"),
    key(
        "replicaLabels",
        Shape::Words,
        "SLOBURN_PROMETHEUS_REPLICA_LABELS",
    ),
];

const TLS: &[Key] = &[
    key("caFile", Shape::Path, "SLOBURN_PROMETHEUS_TLS_CA_FILE"),
    key("certFile", Shape::Path, "SLOBURN_PROMETHEUS_TLS_CERT_FILE"),
    key("keyFile", Shape::Path, "SLOBURN_PROMETHEUS_TLS_KEY_FILE"),
];

const SCRAPE: &[Key] = &[
    key("targets", Shape::Targets, "SLOBURN_SCRAPE_TARGETS"),
    key("interval", Shape::One, "SLOBURN_SCRAPE_INTERVAL").default("15s"),
    // Its default, ten seconds, is no longer than the interval.
    key("timeout", Shape::One, "SLOBURN_SCRAPE_TIMEOUT"),
    key("offset", Shape::One, "SLOBURN_SCRAPE_OFFSET").default("2s"),
    // As that of a Prometheus.
    key("settle", Shape::One, "SLOBURN_SCRAPE_SETTLE"),
    key("maxBodyBytes", Shape::One, "SLOBURN_SCRAPE_MAX_BODY_BYTES").default("16777216"),
];

const STORE: &[Key] = &[
    key("sqlite", Shape::Path, "SLOBURN_STORE").default("sloburn.db"),
    key("history", Shape::One, "SLOBURN_HISTORY").default("400d"),
];

const LOG: &[Key] = &[
    key("level", Shape::One, "SLOBURN_LOG_LEVEL").default("info"),
    key("format", Shape::One, "SLOBURN_LOG_FORMAT").default("human"),
    // Overrides the level, with directives as `sloburn::source=trace,warn`.
    key("filter", Shape::One, "SLOBURN_LOG"),
];

/// Visits every key that has a value, with its path; `sources` are the names to visit under `sources`.
pub(super) fn visit<'a>(sources: &[&'a str], mut visitor: impl FnMut(Vec<&'a str>, &'static Key)) {
    fn walk<'a>(
        keys: &'static [Key],
        prefix: &[&'a str],
        sources: &[&'a str],
        visitor: &mut impl FnMut(Vec<&'a str>, &'static Key),
    ) {
        for key in keys {
            let mut path = prefix.to_vec();
            path.push(key.name);
            match key.shape {
                Shape::Section(below) => walk(below, &path, sources, visitor),
                Shape::Named(below) => {
                    for source in sources {
                        walk(below, &[&path[..], &[source]].concat(), sources, visitor);
                    }
                }
                _ => visitor(path, key),
            }
        }
    }
    walk(ROOT, &[], sources, &mut visitor);
}
