//! The scrape source: pages of both forms, labels as Prometheus attaches them, and real exporters over HTTP.

mod exporter;
mod pages;
mod scrapes;
