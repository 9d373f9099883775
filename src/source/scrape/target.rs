//! One target: asks for its page, attaches its labels as Prometheus would, and remembers what it knows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use crate::causes;
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::time::{Span, Timestamp};
use crate::series::batch::Sample;
use crate::source::offload;

use super::name;
use super::page::{self, Format, Line};

/// What we read, the most exact form first.
const FORMS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";

/// How far ahead of us a page's own times may be; later ones are left out, as Prometheus does.
const AHEAD: Span = Span::from_mins(10);

/// A page to read, and the labels that its series get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where the page is.
    pub url: String,
    /// Attached to every series. `job` is the source's name, and `instance` the URL's host and port, unless they
    /// are given here.
    pub labels: BTreeMap<String, String>,
}

/// Why a scrape failed, in a few words and without numbers that differ from one scrape to the next.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScrapeError {
    #[error("{0}")]
    Request(String),
    #[error("it answers HTTP {0}")]
    Status(u16),
    #[error(
        "it redirects elsewhere (HTTP {0}), which is not followed; write down its final address"
    )]
    Redirect(u16),
    #[error("its page is larger than {0} bytes; raise `maxBodyBytes`")]
    TooLarge(u64),
    #[error("its page is not text in UTF-8")]
    Encoding,
    #[error("its page cannot be read: {0}")]
    Page(String),
    #[error("Sloburn was stopped before its page was read")]
    Stopping,
}

/// What a scrape brings.
type Samples = Vec<(Arc<Labels>, Sample)>;

/// A target with what is known of it.
#[derive(Debug)]
pub(super) struct Scraped {
    pub(super) target: Target,
    up: Arc<Labels>,
    known: Known,
    /// Why it could not be scraped the last time, if it could not.
    pub(super) failure: Option<String>,
}

impl Scraped {
    pub(super) fn new(target: Target) -> Self {
        let up = attach(
            &target.labels,
            vec![(METRIC_NAME.to_owned(), "up".to_owned())],
        );
        let known = Known {
            attached: target.labels.clone(),
            series: HashMap::new(),
        };
        Self {
            target,
            up: Arc::new(up),
            known,
            failure: None,
        }
    }

    /// The samples of one scrape at `at`: those of its page and `up`, or `up` alone with the reason why.
    pub(super) async fn scrape(
        &mut self,
        client: &Client,
        most_bytes: u64,
        at: Timestamp,
    ) -> (Samples, Result<(), ScrapeError>) {
        let read = match fetch(client, &self.target.url, most_bytes).await {
            Ok((page, format)) => self.read(page, format, at).await,
            Err(error) => Err(error),
        };
        let (mut samples, ended) = match read {
            Ok(samples) => (samples, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let value = if ended.is_ok() { 1.0 } else { 0.0 };
        samples.push((Arc::clone(&self.up), Sample { at, value }));
        (samples, ended)
    }

    async fn read(
        &mut self,
        page: String,
        format: Format,
        at: Timestamp,
    ) -> Result<Samples, ScrapeError> {
        let mut known = std::mem::take(&mut self.known);
        let bytes = page.len();
        let work = move || {
            let samples = known.read(&page, format, at);
            (known, samples)
        };
        let (known, samples) = offload::decoded(bytes, work)
            .await
            .ok_or(ScrapeError::Stopping)?;
        self.known = known;
        samples
    }
}

/// The series of a target as its last page showed them.
#[derive(Debug, Default)]
struct Known {
    /// The target's own labels.
    attached: BTreeMap<String, String>,
    /// The labels of each series, by how they were written.
    series: HashMap<Box<str>, Arc<Labels>>,
}

impl Known {
    fn read(&mut self, page: &str, format: Format, at: Timestamp) -> Result<Samples, ScrapeError> {
        let lines =
            page::lines(page, format).map_err(|fault| ScrapeError::Page(fault.to_string()))?;
        let mut known = HashMap::with_capacity(lines.len());
        let mut samples = Vec::with_capacity(lines.len());
        for Line {
            series,
            value,
            at: own,
        } in lines
        {
            let labels = match self
                .series
                .remove(series)
                .or_else(|| known.get(series).cloned())
            {
                Some(labels) => labels,
                None => Arc::new(attach(
                    &self.attached,
                    name::labels(series).map_err(ScrapeError::Page)?,
                )),
            };
            known.insert(Box::from(series), Arc::clone(&labels));
            let at = own.map_or(at, Timestamp::from_millis);
            samples.push((labels, Sample { at, value }));
        }
        samples.retain(|(_, sample)| sample.at <= at + AHEAD);
        self.series = known;
        Ok(samples)
    }
}

/// Attaches a target's labels: a label of the same name that the page has of its own becomes `exported_…`.
fn attach(target: &BTreeMap<String, String>, mut own: Vec<(String, String)>) -> Labels {
    for name in target.keys() {
        let clash = own
            .iter()
            .position(|(label, value)| label == name && !value.is_empty());
        let Some(clash) = clash else { continue };
        let mut exported = format!("exported_{name}");
        while own.iter().any(|(label, _)| *label == exported) || target.contains_key(&exported) {
            exported.insert_str(0, "exported_");
        }
        own[clash].0 = exported;
    }
    let target = target
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    own.into_iter().chain(target).collect()
}

async fn fetch(client: &Client, url: &str, most: u64) -> Result<(String, Format), ScrapeError> {
    let request = client.get(url).header(ACCEPT, FORMS);
    let mut answer = request.send().await.map_err(|error| refused(&error))?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(ScrapeError::Redirect(status.as_u16()));
    }
    if !status.is_success() {
        return Err(ScrapeError::Status(status.as_u16()));
    }
    let kind = answer.headers().get(CONTENT_TYPE);
    let format = Format::of(kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default());
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| refused(&error))? {
        body.extend_from_slice(&piece);
        if u64::try_from(body.len()).unwrap_or(u64::MAX) > most {
            return Err(ScrapeError::TooLarge(most));
        }
    }
    let page = String::from_utf8(body).map_err(|_| ScrapeError::Encoding)?;
    Ok((page, format))
}

fn refused(error: &reqwest::Error) -> ScrapeError {
    let why = if error.is_timeout() {
        "it gives no whole page in time; raise `timeout`, or see what holds it up".to_owned()
    } else if error.is_connect() {
        format!(
            "no connection ({}); check its URL and that it is running",
            causes::innermost(error)
        )
    } else {
        format!("its answer broke off ({})", causes::innermost(error))
    };
    ScrapeError::Request(why)
}
