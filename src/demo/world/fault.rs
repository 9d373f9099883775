//! Faults of the game day: what may go wrong where, how badly and how long, and how a person writes it down.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostic::did_you_mean;
use crate::domain::time::{Span, SpanError, Timestamp};

/// Parts of a million, the grain of all shares here: counters stay whole numbers.
pub const MILLION: u64 = 1_000_000;

/// One of the simulated services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The frontend.
    WebShop,
    /// Card payments behind an ingress.
    Checkout,
    /// A worker that reads a queue.
    OrderWorker,
    /// The database.
    Postgres,
}

impl Service {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::WebShop,
        Self::Checkout,
        Self::OrderWorker,
        Self::Postgres,
    ];

    /// Its name, also in the definitions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebShop => "web-shop",
            Self::Checkout => "checkout",
            Self::OrderWorker => "order-worker",
            Self::Postgres => "postgres",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A share of the requests fails.
    Errors,
    /// A share of the requests takes too long.
    Slowness,
    /// A share of the traffic stays away.
    Traffic,
    /// A resource is this full.
    Saturation,
    /// The metrics cannot be read; the service itself goes on.
    Down,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Errors,
        Self::Slowness,
        Self::Traffic,
        Self::Saturation,
        Self::Down,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Slowness => "slowness",
            Self::Traffic => "traffic",
            Self::Saturation => "saturation",
            Self::Down => "down",
        }
    }

    /// What its intensity is a share of.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Errors => "of the requests fail",
            Self::Slowness => "of the requests take too long",
            Self::Traffic => "of the traffic stays away",
            Self::Saturation => "of the limit is in use",
            Self::Down => "the metrics cannot be read",
        }
    }
}

/// A fault as a person asks for it, in the person's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where.
    pub service: Service,
    /// What.
    pub kind: Kind,
    /// How badly, in parts of a million; all of it for a target that is down.
    pub intensity: u64,
    /// How long from now, for a person.
    pub after: Duration,
    /// How long it lasts, for a person.
    pub lasts: Duration,
}

/// How long a fault lasts when nobody says.
const LASTS: Duration = Duration::from_secs(10);

/// No demo runs longer than this.
const LONGEST: Duration = Duration::from_hours(1);

/// Why there is no such fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OrderError(pub String);

impl Order {
    /// A fault from its parts, as forms and the API give them.
    ///
    /// # Errors
    /// A sentence on the first part that means nothing.
    pub fn of(
        service: &str,
        kind: &str,
        intensity: Option<&str>,
        after: Option<&str>,
        lasts: Option<&str>,
    ) -> Result<Self, OrderError> {
        let service = named(service, "service", &Service::ALL.map(|it| (it.name(), it)))?;
        let kind = named(kind, "fault", &Kind::ALL.map(|it| (it.name(), it)))?;
        if (service, kind) == (Service::Postgres, Kind::Errors) {
            return Err(OrderError(
                "errors of postgres are measured by a `query:` objective, which needs a Prometheus and is not in the demo; \
                 try postgres:slowness=50%"
                    .to_owned(),
            ));
        }
        let intensity = match (
            kind,
            intensity.map(str::trim).filter(|text| !text.is_empty()),
        ) {
            (Kind::Down, None) => MILLION,
            (Kind::Down, Some(_)) => {
                return Err(OrderError(format!(
                    "a target is down or not: write {}:down",
                    service.name()
                )));
            }
            (_, Some(text)) => share(text)?,
            (_, None) => {
                return Err(OrderError(format!(
                    "`{}` needs a share: write {}:{}=20%",
                    kind.name(),
                    service.name(),
                    kind.name()
                )));
            }
        };
        Ok(Self {
            service,
            kind,
            intensity,
            after: after.map_or(Ok(Duration::ZERO), |text| time("after", text))?,
            lasts: lasts
                .map_or(Ok(LASTS), |text| time("for", text))
                .and_then(|lasts| {
                    if lasts.is_zero() {
                        return Err(OrderError(
                            "`for=0s` would be over at once; write for=10s".to_owned(),
                        ));
                    }
                    Ok(lasts)
                })?,
        })
    }
}

impl FromStr for Order {
    type Err = OrderError;

    /// `checkout:errors=20%,after=10s,for=2m`
    fn from_str(text: &str) -> Result<Self, OrderError> {
        let mut parts = text.split(',').map(str::trim);
        let what = parts.next().unwrap_or_default();
        let Some((service, what)) = what.split_once(':') else {
            return Err(OrderError(format!(
                "`{}` does not say what goes wrong where: write checkout:errors=20%",
                what.escape_debug()
            )));
        };
        let (kind, intensity) = match what.split_once('=') {
            Some((kind, intensity)) => (kind, Some(intensity)),
            None => (what, None),
        };
        let (mut after, mut lasts) = (None, None);
        for part in parts {
            let (place, value) = match part.split_once('=') {
                Some(("after", value)) => (&mut after, value),
                Some(("for", value)) => (&mut lasts, value),
                _ => {
                    return Err(OrderError(format!(
                        "`{}` is neither after=… nor for=…: write checkout:errors=20%,after=10s,for=2m",
                        part.escape_debug()
                    )));
                }
            };
            if place.replace(value).is_some() {
                return Err(OrderError(format!(
                    "`{part}` says the same twice; keep one"
                )));
            }
        }
        Self::of(service.trim(), kind.trim(), intensity, after, lasts)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service.name(), self.kind.name())?;
        if self.kind != Kind::Down {
            write!(f, "={}", percent(self.intensity))?;
        }
        let [after, lasts] = [self.after, self.lasts].map(humantime::format_duration);
        write!(f, ",after={after},for={lasts}")
    }
}

/// A share in percent, without needless zeros.
pub fn percent(parts: u64) -> String {
    let whole = parts / 10_000;
    let rest = format!("{:04}", parts % 10_000);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() {
        format!("{whole}%")
    } else {
        format!("{whole}.{rest}%")
    }
}

fn named<T: Copy>(text: &str, what: &str, known: &[(&'static str, T)]) -> Result<T, OrderError> {
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*found);
    }
    let names = || known.iter().map(|(name, _)| *name);
    let all = || format!("there are {}", names().collect::<Vec<_>>().join(", "));
    let help = did_you_mean(text, names(), all);
    Err(OrderError(format!(
        "there is no {what} `{}`; {help}",
        text.escape_debug()
    )))
}

fn share(text: &str) -> Result<u64, OrderError> {
    let wrong = || {
        OrderError(format!(
            "`{}` is no share: write a number over 0% and up to 100%, as 20%",
            text.escape_debug()
        ))
    };
    let number: f64 = text
        .strip_suffix('%')
        .ok_or_else(wrong)?
        .trim()
        .parse()
        .map_err(|_| wrong())?;
    if !(number > 0.0 && number <= 100.0) {
        return Err(wrong());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nothing and a million"
    )]
    let parts = (number * 10_000.0).round() as u64;
    Ok(parts.max(1))
}

fn time(key: &str, text: &str) -> Result<Duration, OrderError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(OrderError(format!(
            "`{key}` has no length of time: write {key}=10s"
        )));
    }
    if SpanError::names_months(text) {
        return Err(OrderError(format!(
            "`{key}={text}` is in months: write {key}={} if minutes are meant",
            text.replace('M', "m")
        )));
    }
    let parsed = humantime::parse_duration(text).map_err(|_| {
        OrderError(format!(
            "`{key}={}` is no length of time: write {key}=10s or {key}=2m, as you will wait for it",
            text.escape_debug()
        ))
    })?;
    if parsed > LONGEST {
        return Err(OrderError(format!(
            "`{key}={text}` is longer than an hour; it is your time, not the demo's: write {key}=2m"
        )));
    }
    Ok(parsed)
}

/// A fault on the demo's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counts from 1; those of the simulated past are 0.
    pub id: u32,
    /// Where.
    pub service: Service,
    /// What.
    pub kind: Kind,
    /// How badly, in parts of a million.
    pub intensity: u64,
    /// Begins right after this time.
    pub from: Timestamp,
    /// Over right after this time.
    pub to: Timestamp,
}

impl Fault {
    /// Whether it acts on what is seen at `at`.
    pub fn acts(&self, at: Timestamp) -> bool {
        self.from < at && at <= self.to
    }

    /// How long it lasts.
    pub const fn length(&self) -> Span {
        self.to.since(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_in_one_line() {
        for (text, told) in [
            (
                "checkout:errors=20%,after=10s,for=2m",
                "checkout:errors=20%,after=10s,for=2m",
            ),
            (
                " web-shop:slowness=0.5% , for=90s",
                "web-shop:slowness=0.5%,after=0s,for=1m 30s",
            ),
            ("postgres:down", "postgres:down,after=0s,for=10s"),
            (
                "order-worker:traffic=100%,for=1m,after=1m",
                "order-worker:traffic=100%,after=1m,for=1m",
            ),
        ] {
            assert_eq!(
                text.parse::<Order>()
                    .map(|order| order.to_string())
                    .as_deref(),
                Ok(told)
            );
        }
    }

    #[test]
    fn each_slip_is_answered_by_a_sentence() {
        let slips = [
            "",
            "checkout",
            "checkout:errors",
            "chekout:errors=20%",
            "frontend:errors=20%",
            "checkout:erors=20%",
            "checkout:errors=20",
            "checkout:errors=0%",
            "checkout:errors=120%",
            "checkout:errors=NaN%",
            "checkout:errors=20%,for=2",
            "checkout:errors=20%,after=",
            "checkout:errors=20%,for=0s",
            "checkout:errors=20%,for=3d",
            "checkout:errors=20%,after=1m,for=2M",
            "checkout:errors=20%,until=2m",
            "checkout:errors=20%,for=1m,for=2m",
            "checkout:down=50%",
            "postgres:errors=5%",
        ];
        let told: Vec<String> = slips
            .iter()
            .map(|text| format!("{text}\n  {}", text.parse::<Order>().unwrap_err()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"

      `` does not say what goes wrong where: write checkout:errors=20%
    checkout
      `checkout` does not say what goes wrong where: write checkout:errors=20%
    checkout:errors
      `errors` needs a share: write checkout:errors=20%
    chekout:errors=20%
      there is no service `chekout`; did you mean `checkout`?
    frontend:errors=20%
      there is no service `frontend`; there are web-shop, checkout, order-worker, postgres
    checkout:erors=20%
      there is no fault `erors`; did you mean `errors`?
    checkout:errors=20
      `20` is no share: write a number over 0% and up to 100%, as 20%
    checkout:errors=0%
      `0%` is no share: write a number over 0% and up to 100%, as 20%
    checkout:errors=120%
      `120%` is no share: write a number over 0% and up to 100%, as 20%
    checkout:errors=NaN%
      `NaN%` is no share: write a number over 0% and up to 100%, as 20%
    checkout:errors=20%,for=2
      `for=2` is no length of time: write for=10s or for=2m, as you will wait for it
    checkout:errors=20%,after=
      `after` has no length of time: write after=10s
    checkout:errors=20%,for=0s
      `for=0s` would be over at once; write for=10s
    checkout:errors=20%,for=3d
      `for=3d` is longer than an hour; it is your time, not the demo's: write for=2m
    checkout:errors=20%,after=1m,for=2M
      `for=2M` is in months: write for=2m if minutes are meant
    checkout:errors=20%,until=2m
      `until=2m` is neither after=… nor for=…: write checkout:errors=20%,after=10s,for=2m
    checkout:errors=20%,for=1m,for=2m
      `for=2m` says the same twice; keep one
    checkout:down=50%
      a target is down or not: write checkout:down
    postgres:errors=5%
      errors of postgres are measured by a `query:` objective, which needs a Prometheus and is not in the demo; try postgres:slowness=50%
    ");
    }
}
