//! Logging: lines for people, or one JSON object per line.

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{Format, Level, Log};

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is none; the configuration should have refused it.
    #[error("the log filter `{text}` is not understood")]
    Filter {
        /// What it says.
        text: String,
        /// Why not.
        source: ParseError,
    },
    /// Logging was set up before.
    #[error("cannot set up logging")]
    Init(#[from] TryInitError),
}

/// Logs to standard error from here on.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let colours = match std::env::var_os("NO_COLOR") {
        Some(set) if !set.is_empty() => Colours::Never,
        _ if io::stderr().is_terminal() => Colours::Always,
        _ => Colours::Never,
    };
    Ok(subscriber(log, colours, io::stderr)?.try_init()?)
}

#[derive(Clone, Copy, PartialEq)]
enum Colours {
    Always,
    Never,
}

fn subscriber<W>(
    log: &Log,
    colours: Colours,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter_of(log)?)
        .with_writer(writer);
    Ok(match log.format {
        Format::Human => Box::new(
            builder
                .compact()
                .fmt_fields(debug_fn(write_field).delimited(" "))
                .with_target(false)
                .with_ansi(colours == Colours::Always)
                .finish(),
        ),
        Format::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .finish(),
        ),
    })
}

/// One field of an event. What others sent us may stand in it, so nothing of it may begin a line or steer the terminal.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    for char in format!("{value:?}").chars() {
        if char.is_control() {
            write!(writer, "{}", char.escape_default())?;
        } else {
            writer.write_char(char)?;
        }
    }
    Ok(())
}

/// Our own lines as configured; of libraries only what went wrong.
fn filter_of(log: &Log) -> Result<EnvFilter, TelemetryError> {
    let configured = match log.level {
        Level::Error => "error".to_owned(),
        level => format!("warn,sloburn={}", level.as_str()),
    };
    let text = log.filter.as_ref().unwrap_or(&configured);
    let wrong = |source| TelemetryError::Filter {
        text: text.clone(),
        source,
    };
    EnvFilter::builder().parse(text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of a few events, without the time of day.
    fn logged(format: Format, level: Level, filter: Option<&str>, colours: Colours) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let filter = filter.map(str::to_owned);
        let log = Log {
            level,
            format,
            filter,
        };
        let subscriber = subscriber(&log, colours, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                slo = "checkout/availability",
                delay_ms = 12,
                "evaluation came late"
            );
            tracing::error!(error = %"line one\nline two \u{1b}[31mred", "the store refused");
            tracing::debug!("why it did");
            tracing::info!(target: "hyper", "a library talks");
            tracing::warn!(target: "hyper", "a library warns");
        });
        let bytes = buffer.0.lock().unwrap().clone();
        let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT[\d:.]+Z").unwrap();
        time.replace_all(&String::from_utf8(bytes).unwrap(), "TIME")
            .into_owned()
    }

    #[test]
    fn people_get_one_line_per_event() {
        insta::assert_snapshot!(logged(Format::Human, Level::Info, None, Colours::Never), @r#"
        TIME  INFO evaluation came late slo="checkout/availability" delay_ms=12
        TIME ERROR the store refused error=line one\nline two \u{1b}[31mred
        TIME  WARN a library warns
        "#);
        let coloured = logged(Format::Human, Level::Info, None, Colours::Always);
        assert!(coloured.contains("\u{1b}["));
    }

    #[test]
    fn programs_get_one_object_per_line() {
        let text = logged(Format::Json, Level::Info, None, Colours::Always);
        for line in text.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                object["timestamp"].is_string() && object["level"].is_string(),
                "{line}"
            );
        }
        insta::assert_snapshot!(text, @r#"
        {"timestamp":"TIME","level":"INFO","message":"evaluation came late","slo":"checkout/availability","delay_ms":12,"target":"sloburn::telemetry::tests"}
        {"timestamp":"TIME","level":"ERROR","message":"the store refused","error":"line one\nline two \u001b[31mred","target":"sloburn::telemetry::tests"}
        {"timestamp":"TIME","level":"WARN","message":"a library warns","target":"hyper"}
        "#);
    }

    #[test]
    fn the_level_is_ours_and_can_be_overridden() {
        let messages = |level, filter| {
            logged(Format::Human, level, filter, Colours::Never)
                .matches("TIME")
                .count()
        };
        assert_eq!(messages(Level::Error, None), 1);
        assert_eq!(messages(Level::Warn, None), 2);
        assert_eq!(messages(Level::Info, None), 3);
        assert_eq!(messages(Level::Debug, None), 4);
        assert_eq!(messages(Level::Error, Some("trace")), 5);
    }
}
