//! What the exporters behind the shipped definitions really expose: names, kinds, labels, usual boundaries.

/// One metric of an exporter, as it stands in Prometheus.
pub(super) struct Exposed {
    pub(super) metric: &'static str,
    pub(super) kind: Kind,
    /// The labels of the target, and those that all of its series share.
    pub(super) shared: &'static str,
    /// One series for each: its own labels, and its events per second or (for gauges) its value.
    pub(super) series: &'static [(&'static str, f64)],
}

/// How a metric's values go on.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    /// A gauge of a time so many seconds ago, in seconds of the Unix epoch.
    Age,
    /// `_bucket`, `_sum` and `_count`, with these boundaries.
    Histogram(&'static [&'static str]),
}

/// The default boundaries of client_golang.
const GO: Kind = Kind::Histogram(&[
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
]);

/// The default boundaries of client_python.
const PYTHON: Kind = Kind::Histogram(&[
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0",
    "7.5", "10.0", "+Inf",
]);

const fn exposed(
    metric: &'static str,
    kind: Kind,
    shared: &'static str,
    series: &'static [(&'static str, f64)],
) -> Exposed {
    Exposed {
        metric,
        kind,
        shared,
        series,
    }
}

const SHOP: &str = "job=web-shop,instance=10.0.0.7:8080";
const INGRESS: &str = "job=ingress-nginx,instance=10.0.0.2:10254,controller_class=k8s.io/ingress-nginx,\
    exported_namespace=shop,ingress=checkout,service=checkout,host=shop.example.com,path=/";
const CADVISOR: &str =
    "job=kubelet,instance=10.0.0.3:10250,metrics_path=/metrics/cadvisor,namespace=shop";
const KUBE_STATE: &str = "job=kube-state-metrics,instance=10.0.0.4:8080,namespace=shop,node=node-1";
const CELERY: &str =
    "job=celery-exporter,instance=10.0.0.5:9808,hostname=worker-1,name=ship,queue_name=orders";
const REFUNDS: &str =
    "job=celery-exporter,instance=10.0.0.5:9808,hostname=worker-1,name=refund,queue_name=refunds";
const RABBIT: &str = "job=rabbitmq,instance=10.0.0.6:15692";
const POSTGRES: &str = "job=postgres,instance=10.0.0.8:9187";
const WEB: &str = "job=web,instance=10.0.1.1:8080";
const KAFKA: &str = "job=kafka-exporter,instance=10.0.1.2:9308,consumergroup=orders";

/// Every metric that the shipped definitions may use, and a few of their neighbours.
pub(super) const EXPOSED: &[Exposed] = &[
    // A service with the handlers' instrumentation of client_golang (promhttp).
    exposed(
        "http_requests_total",
        Kind::Counter,
        SHOP,
        &[
            ("handler=/cart,method=get,code=200", 40.0),
            ("handler=/cart,method=get,code=404", 1.0),
            ("handler=/pay,method=post,code=200", 9.0),
            ("handler=/pay,method=post,code=503", 0.01),
            ("handler=/metrics,method=get,code=200", 0.1),
        ],
    ),
    exposed(
        "http_request_duration_seconds",
        GO,
        SHOP,
        &[
            ("handler=/cart,method=get", 41.0),
            ("handler=/metrics,method=get", 0.1),
        ],
    ),
    exposed(
        "db_query_duration_seconds",
        GO,
        SHOP,
        &[("query=cart", 80.0)],
    ),
    exposed("process_open_fds", Kind::Gauge, SHOP, &[("", 90.0)]),
    exposed("process_max_fds", Kind::Gauge, SHOP, &[("", 1_048_576.0)]),
    // ingress-nginx; `namespace` is the controller's own, so that the ingress' is exported.
    exposed(
        "nginx_ingress_controller_requests",
        Kind::Counter,
        INGRESS,
        &[
            ("method=GET,status=200", 12.0),
            ("method=GET,status=401", 0.5),
            ("method=POST,status=502", 0.002),
        ],
    ),
    exposed(
        "nginx_ingress_controller_request_duration_seconds",
        GO,
        INGRESS,
        &[
            ("method=GET,status=200", 12.0),
            ("method=POST,status=502", 0.002),
        ],
    ),
    // The row without a container is the pod's own.
    exposed(
        "container_memory_working_set_bytes",
        Kind::Gauge,
        CADVISOR,
        &[
            ("pod=checkout-6d4f-x1,container=app,id=/kubepods/1", 3e8),
            ("pod=checkout-6d4f-x1,container=,id=/kubepods", 3.1e8),
            ("pod=cart-11-y1,container=app,id=/kubepods/2", 9e8),
        ],
    ),
    exposed(
        "kube_pod_container_resource_limits",
        Kind::Gauge,
        KUBE_STATE,
        &[
            (
                "pod=checkout-6d4f-x1,container=app,resource=memory,unit=byte",
                5e8,
            ),
            (
                "pod=checkout-6d4f-x1,container=app,resource=cpu,unit=core",
                2.0,
            ),
        ],
    ),
    exposed(
        "celery_task_started_total",
        Kind::Counter,
        CELERY,
        &[("", 3.0)],
    ),
    exposed(
        "celery_task_succeeded_total",
        Kind::Counter,
        CELERY,
        &[("", 2.99)],
    ),
    exposed(
        "celery_task_failed_total",
        Kind::Counter,
        CELERY,
        &[("exception=Timeout", 0.01)],
    ),
    exposed(
        "celery_task_started_total",
        Kind::Counter,
        REFUNDS,
        &[("", 0.1)],
    ),
    exposed(
        "celery_task_failed_total",
        Kind::Counter,
        REFUNDS,
        &[("exception=Timeout", 0.001)],
    ),
    exposed("celery_task_runtime", PYTHON, CELERY, &[("", 3.0)]),
    // /metrics/detailed?family=queue_delivery_metrics
    exposed(
        "rabbitmq_detailed_queue_messages_delivered_ack_total",
        Kind::Counter,
        RABBIT,
        &[("vhost=/,queue=orders", 3.0), ("vhost=/,queue=mails", 1.0)],
    ),
    exposed(
        "rabbitmq_detailed_queue_messages_redelivered_total",
        Kind::Counter,
        RABBIT,
        &[("vhost=/,queue=orders", 0.01), ("vhost=/,queue=mails", 0.0)],
    ),
    exposed(
        "rabbitmq_process_resident_memory_bytes",
        Kind::Gauge,
        RABBIT,
        &[("", 2e8)],
    ),
    exposed(
        "rabbitmq_resident_memory_limit_bytes",
        Kind::Gauge,
        RABBIT,
        &[("", 3e9)],
    ),
    exposed(
        "pg_stat_database_xact_commit",
        Kind::Counter,
        POSTGRES,
        &[
            ("datid=16384,datname=shop", 120.0),
            ("datid=5,datname=postgres", 0.1),
        ],
    ),
    exposed(
        "pg_stat_database_xact_rollback",
        Kind::Counter,
        POSTGRES,
        &[
            ("datid=16384,datname=shop", 0.2),
            ("datid=5,datname=postgres", 0.0),
        ],
    ),
    exposed(
        "pg_stat_activity_count",
        Kind::Gauge,
        POSTGRES,
        &[
            ("datname=shop,state=active,usename=shop", 7.0),
            ("datname=shop,state=idle,usename=shop", 20.0),
        ],
    ),
    exposed(
        "pg_settings_max_connections",
        Kind::Gauge,
        POSTGRES,
        &[("server=db:5432", 100.0)],
    ),
    // A service with a label for its route.
    exposed(
        "http_requests_total",
        Kind::Counter,
        WEB,
        &[
            ("route=/cart,code=200", 20.0),
            ("route=/cart,code=404", 1.0),
            ("route=/cart,code=500", 0.02),
            ("route=/healthz,code=200", 0.2),
        ],
    ),
    exposed(
        "http_request_duration_seconds",
        GO,
        WEB,
        &[
            ("route=/cart", 20.0),
            ("route=/export", 0.5),
            ("route=/search", 3.0),
            ("route=/healthz", 0.2),
        ],
    ),
    // grpc-go with the interceptors of go-grpc-middleware.
    exposed(
        "grpc_server_handled_total",
        Kind::Counter,
        "job=inventory,instance=10.0.1.3:9090,grpc_type=unary,grpc_service=stock.v1.Stock,grpc_method=Get",
        &[
            ("grpc_code=OK", 50.0),
            ("grpc_code=NotFound", 2.0),
            ("grpc_code=Unavailable", 0.01),
        ],
    ),
    exposed(
        "kafka_consumergroup_lag",
        Kind::Gauge,
        KAFKA,
        &[
            ("topic=orders,partition=0", 12.0),
            ("topic=orders,partition=1", 7.0),
            ("topic=refunds,partition=0", 0.0),
        ],
    ),
    exposed(
        "etl_last_success_timestamp_seconds",
        Kind::Age,
        "job=orders-etl,instance=10.0.1.4:9091",
        &[("", 1_200.0)],
    ),
    exposed(
        "probe_success",
        Kind::Gauge,
        "job=blackbox,instance=https://shop.example.com",
        &[
            ("prober=ams", 1.0),
            ("prober=fra", 1.0),
            ("prober=nyc", 0.0),
        ],
    ),
    exposed(
        "istio_requests_total",
        Kind::Counter,
        "job=istio,instance=10.0.1.5:15020,reporter=destination",
        &[
            ("destination_service_name=payments,response_code=200", 9.0),
            ("destination_service_name=payments,response_code=503", 0.01),
            ("destination_service_name=cart,response_code=200", 30.0),
            ("destination_service_name=cart,response_code=500", 0.02),
        ],
    ),
    exposed(
        "shop_payments_started_total",
        Kind::Counter,
        "job=shop,instance=10.0.1.6:8080",
        &[("method=card", 4.0), ("method=invoice", 1.0)],
    ),
    exposed(
        "gateway_bookings_total",
        Kind::Counter,
        "app=gateway,pod=gateway-0",
        &[
            ("state=accepted,bank=a", 4.9),
            ("state=refused,bank=a", 0.1),
        ],
    ),
    exposed(
        "http_requests_total",
        Kind::Counter,
        "job=edge",
        &[
            ("cluster=eu1,code=200", 70.0),
            ("cluster=eu1,code=503", 0.01),
            ("cluster=us1,code=200", 40.0),
            ("cluster=us1,code=502", 0.02),
        ],
    ),
    exposed(
        "http_requests_total",
        Kind::Counter,
        "job=back-office,instance=10.0.1.7:8080",
        &[("code=200", 0.2), ("code=500", 0.001)],
    ),
    exposed(
        "mail_requests_total",
        Kind::Counter,
        "job=notifications,instance=10.0.1.8:8080,provider=mailer",
        &[("result=sent", 8.0), ("result=failed", 0.01)],
    ),
    exposed(
        "http_client_requests_seconds_count",
        Kind::Counter,
        "job=payments,instance=10.0.1.9:8080,client_name=gateway.example.com,method=POST,uri=/charge",
        &[
            ("outcome=SUCCESS,status=200", 12.0),
            ("outcome=SERVER_ERROR,status=502", 0.004),
            ("outcome=UNKNOWN,status=IO_ERROR", 0.001),
        ],
    ),
];
