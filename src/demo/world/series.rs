//! Every series that the four services expose: the names and labels that the shipped definitions select.

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

use super::dice::about;
use super::fault::{Fault, Kind, MILLION, Service};
use super::flow::{Flow, Part};

/// One series.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// On whose page it stands.
    pub(super) target: Service,
    /// Its metric.
    pub(super) metric: &'static str,
    /// Its own labels, without those of its target.
    pub(super) labels: Vec<(&'static str, &'static str)>,
    /// What it shows.
    pub(super) value: Value,
}

/// What a series shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// So many requests of a stream.
    Count(Flow, Part),
    /// The seconds that all requests of a stream took, when one usually takes so many.
    Seconds(Flow, f64),
    /// So much in use of a limit, as a share of it; and what stands beside it in the same sum.
    Used {
        service: Service,
        limit: f64,
        usual: f64,
        beside: f64,
    },
    /// Always the same.
    Fixed(f64),
    /// The failures of the quiet queue: a single one.
    Single,
}

/// The labels that Prometheus would attach to the pages of a service.
pub(super) const fn target_labels(service: Service) -> [(&'static str, &'static str); 2] {
    match service {
        Service::WebShop => [("job", "web-shop"), ("instance", "web-shop:8080")],
        Service::Checkout => [("job", "checkout"), ("instance", "checkout:8080")],
        Service::OrderWorker => [("job", "rabbitmq"), ("instance", "order-worker:8080")],
        Service::Postgres => [("job", "postgres"), ("instance", "postgres:9187")],
    }
}

/// The quiet queue: a dozen tasks an hour, so that a single failure looks like a fire.
pub(super) fn refunds(seed: u64) -> Flow {
    flow(Service::OrderWorker, 10.0, 0.2, seed, "refunds")
}

/// Shares of requests (in parts of a million) that take longer than each boundary, and how far slowness reaches.
struct Boundaries {
    above: &'static [(&'static str, u64)],
    slowed_below: usize,
    mean: f64,
}

const WEB: Boundaries = Boundaries {
    above: &[
        ("0.05", 300_000),
        ("0.1", 80_000),
        ("0.25", 3_000),
        ("0.5", 800),
        ("1", 300),
        ("2.5", 100),
        ("+Inf", 0),
    ],
    slowed_below: 5,
    mean: 0.06,
};
const INGRESS: Boundaries = Boundaries {
    above: &[
        ("0.1", 400_000),
        ("0.25", 60_000),
        ("0.5", 2_500),
        ("1", 900),
        ("2.5", 300),
        ("5", 100),
        ("+Inf", 0),
    ],
    slowed_below: 4,
    mean: 0.12,
};
const TASKS: Boundaries = Boundaries {
    above: &[
        ("1.0", 500_000),
        ("2.5", 200_000),
        ("5.0", 60_000),
        ("7.5", 30_000),
        ("10.0", 15_000),
        ("+Inf", 0),
    ],
    slowed_below: 5,
    mean: 1.9,
};
const QUERIES: Boundaries = Boundaries {
    above: &[
        ("0.005", 200_000),
        ("0.01", 80_000),
        ("0.025", 30_000),
        ("0.05", 8_000),
        ("0.1", 2_000),
        ("0.25", 500),
        ("1", 100),
        ("+Inf", 0),
    ],
    slowed_below: 6,
    mean: 0.004,
};

/// All series of all services.
pub(super) fn all(seed: u64, started: Timestamp) -> Vec<Series> {
    let mut table = Table {
        seed,
        series: Vec::new(),
    };
    table.web_shop();
    table.checkout();
    table.order_worker();
    table.postgres();
    for target in Service::ALL {
        let started = Value::Fixed(started.since(Timestamp::from_millis(0)).as_secs_f64());
        table.add(target, "process_start_time_seconds", &[], started);
    }
    table.series
}

struct Table {
    seed: u64,
    series: Vec<Series>,
}

impl Table {
    fn web_shop(&mut self) {
        let target = Service::WebShop;
        let failed = self.parts(300, "web-shop failed");
        for (handler, per_hour) in [("/", 21_600.0), ("/cart", 10_800.0), ("/pay", 3_600.0)] {
            let flow = flow(target, per_hour, 0.4, self.seed, handler);
            let (wrong, at) = (20_000, ("handler", handler));
            for (code, part) in [
                ("200", Part::Right { failed, wrong }),
                ("404", Part::Wrong { failed, wrong }),
                ("500", Part::Failed(failed)),
            ] {
                self.add(
                    target,
                    "http_requests_total",
                    &[at, ("code", code)],
                    Value::Count(flow, part),
                );
            }
            self.histogram(
                target,
                [
                    "http_request_duration_seconds_bucket",
                    "http_request_duration_seconds_count",
                    "http_request_duration_seconds_sum",
                ],
                &[at],
                flow,
                &WEB,
            );
        }
        let probes = flow(target, 360.0, 0.0, self.seed, "/healthz");
        self.add(
            target,
            "http_requests_total",
            &[("handler", "/healthz"), ("code", "200")],
            Value::Count(probes, Part::All),
        );
        let queries = flow(Service::Postgres, 144_000.0, 0.4, self.seed, "queries");
        self.histogram(
            target,
            [
                "db_query_duration_seconds_bucket",
                "db_query_duration_seconds_count",
                "db_query_duration_seconds_sum",
            ],
            &[("query", "cart")],
            queries,
            &QUERIES,
        );
        self.level(target, ("process_open_fds", 1_024.0, 0.35, 0.0), &[]);
        self.add(target, "process_max_fds", &[], Value::Fixed(1_024.0));
    }

    fn checkout(&mut self) {
        let target = Service::Checkout;
        let ingress = [("exported_namespace", "shop"), ("ingress", "checkout")];
        let flow = flow(target, 7_200.0, 0.4, self.seed, "ingress");
        let (failed, wrong) = (self.parts(150, "checkout failed"), 30_000);
        for (status, part) in [
            ("200", Part::Right { failed, wrong }),
            ("402", Part::Wrong { failed, wrong }),
            ("502", Part::Failed(failed)),
        ] {
            let labels = [ingress[0], ingress[1], ("status", status)];
            self.add(
                target,
                "nginx_ingress_controller_requests",
                &labels,
                Value::Count(flow, part),
            );
        }
        self.histogram(
            target,
            [
                "nginx_ingress_controller_request_duration_seconds_bucket",
                "nginx_ingress_controller_request_duration_seconds_count",
                "nginx_ingress_controller_request_duration_seconds_sum",
            ],
            &ingress,
            flow,
            &INGRESS,
        );
        let pod = [
            ("namespace", "shop"),
            ("pod", "checkout-6d4f-x1"),
            ("container", "app"),
        ];
        self.level(
            target,
            (
                "container_memory_working_set_bytes",
                536_870_912.0,
                0.55,
                0.0,
            ),
            &pod,
        );
        let limit = [pod[0], pod[1], pod[2], ("resource", "memory")];
        self.add(
            target,
            "kube_pod_container_resource_limits",
            &limit,
            Value::Fixed(536_870_912.0),
        );
    }

    fn order_worker(&mut self) {
        let target = Service::OrderWorker;
        let orders = flow(target, 3_600.0, 0.3, self.seed, "orders");
        let (celery, rabbit) = ([("queue_name", "orders")], [("queue", "orders")]);
        let failed = self.parts(1_500, "orders failed");
        self.add(
            target,
            "celery_task_started_total",
            &celery,
            Value::Count(orders, Part::All),
        );
        self.add(
            target,
            "celery_task_failed_total",
            &celery,
            Value::Count(orders, Part::Failed(failed)),
        );
        self.histogram(
            target,
            [
                "celery_task_runtime_bucket",
                "celery_task_runtime_count",
                "celery_task_runtime_sum",
            ],
            &celery,
            orders,
            &TASKS,
        );
        self.add(
            target,
            "rabbitmq_detailed_queue_messages_delivered_ack_total",
            &rabbit,
            Value::Count(orders, Part::All),
        );
        // The queue hands out again what its usual troubles leave, whatever goes wrong with the tasks.
        let again = Part::Within {
            above: MILLION - self.parts(2_000, "redelivered"),
            slowed: false,
        };
        self.add(
            target,
            "rabbitmq_detailed_queue_messages_redelivered_total",
            &rabbit,
            Value::Count(orders, again),
        );
        self.level(
            target,
            (
                "rabbitmq_process_resident_memory_bytes",
                1_073_741_824.0,
                0.4,
                0.0,
            ),
            &[],
        );
        self.add(
            target,
            "rabbitmq_resident_memory_limit_bytes",
            &[],
            Value::Fixed(1_073_741_824.0),
        );
        let quiet = [("queue_name", "refunds")];
        self.add(
            target,
            "celery_task_started_total",
            &quiet,
            Value::Count(refunds(self.seed), Part::All),
        );
        self.add(target, "celery_task_failed_total", &quiet, Value::Single);
    }

    fn postgres(&mut self) {
        let target = Service::Postgres;
        let commits = flow(target, 72_000.0, 0.4, self.seed, "commits");
        let datname = [("datname", "shop")];
        self.add(
            target,
            "pg_stat_database_xact_commit",
            &datname,
            Value::Count(commits, Part::All),
        );
        self.add(
            target,
            "pg_stat_database_xact_rollback",
            &datname,
            Value::Count(commits, Part::Failed(1_000)),
        );
        let idle = 15.0;
        self.level(
            target,
            ("pg_stat_activity_count", 100.0, 0.4, idle),
            &[("datname", "shop"), ("state", "active")],
        );
        self.add(
            target,
            "pg_stat_activity_count",
            &[("datname", "shop"), ("state", "idle")],
            Value::Fixed(idle),
        );
        self.add(
            target,
            "pg_settings_max_connections",
            &[],
            Value::Fixed(100.0),
        );
    }

    fn add(
        &mut self,
        target: Service,
        metric: &'static str,
        labels: &[(&'static str, &'static str)],
        value: Value,
    ) {
        let labels = labels.to_vec();
        self.series.push(Series {
            target,
            metric,
            labels,
            value,
        });
    }

    /// A gauge and how full it usually is.
    fn level(
        &mut self,
        target: Service,
        (metric, limit, usual, beside): (&'static str, f64, f64, f64),
        labels: &[(&'static str, &'static str)],
    ) {
        let usual = about(usual, 0.1, self.seed, metric);
        self.add(
            target,
            metric,
            labels,
            Value::Used {
                service: target,
                limit,
                usual,
                beside,
            },
        );
    }

    /// A classic histogram of a stream; `names` are those of its buckets, its count and its sum.
    fn histogram(
        &mut self,
        target: Service,
        [bucket, count, sum]: [&'static str; 3],
        labels: &[(&'static str, &'static str)],
        flow: Flow,
        boundaries: &Boundaries,
    ) {
        for (index, (le, above)) in boundaries.above.iter().enumerate() {
            let part = Part::Within {
                above: *above,
                slowed: index < boundaries.slowed_below,
            };
            let labels = [labels, &[("le", *le)]].concat();
            self.add(target, bucket, &labels, Value::Count(flow, part));
        }
        self.add(target, count, labels, Value::Count(flow, Part::All));
        self.add(target, sum, labels, Value::Seconds(flow, boundaries.mean));
    }

    /// About so many parts of a million.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small positive number"
    )]
    fn parts(&self, usual: u32, name: &str) -> u64 {
        about(f64::from(usual), 0.2, self.seed, name) as u64
    }
}

fn flow(service: Service, per_hour: f64, swing: f64, seed: u64, name: &str) -> Flow {
    Flow {
        service,
        per_hour: about(per_hour, 0.1, seed, name),
        swing,
        // Nights are quiet: the busiest hours are those around 14:00.
        phase: about(-2.1, 0.05, seed, name),
    }
}

impl Series {
    /// All its labels, its name and those of its target among them.
    pub(super) fn all_labels(&self) -> Labels {
        let own = self.labels.iter().copied();
        [("__name__", self.metric)]
            .into_iter()
            .chain(own)
            .chain(target_labels(self.target))
            .collect()
    }
}

impl Value {
    /// What is shown at `at`, when everything began at `origin`.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn at(
        &self,
        origin: Timestamp,
        faults: &[Fault],
        single: Timestamp,
        at: Timestamp,
    ) -> f64 {
        match self {
            Self::Count(flow, part) => flow.count(*part, origin, faults, at) as f64,
            Self::Seconds(flow, mean) => flow.count(Part::All, origin, faults, at) as f64 * mean,
            Self::Fixed(value) => *value,
            Self::Single => f64::from(u8::from(at >= single)),
            Self::Used {
                service,
                limit,
                usual,
                beside,
            } => {
                let full = faults.iter().find(|fault| {
                    fault.service == *service && fault.kind == Kind::Saturation && fault.acts(at)
                });
                let share = full.map_or_else(
                    || usual * (1.0 + 0.1 * wave(at)),
                    |fault| fault.intensity as f64 / MILLION as f64,
                );
                (limit * share - beside).round().max(0.0)
            }
        }
    }
}

/// A daily up and down with a little unrest, from -1 to 1.
fn wave(at: Timestamp) -> f64 {
    let hours = at.since(Timestamp::from_millis(0)).as_secs_f64() / 3_600.0;
    let turn = std::f64::consts::TAU;
    0.8 * (turn * hours / 24.0 - 2.1).sin() + 0.2 * (turn * hours / 0.7).sin()
}
