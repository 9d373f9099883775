//! What all pages share: navigation, what is amiss with the daemon itself, and how old it all is.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::domain::time::{Span, Timestamp};
use crate::status::board::Reading;
use crate::status::words;

use super::super::AppState;
use super::super::moment::Moment;
use super::assets::Assets;
use super::prose::Prose;
use super::site::{NavEntry, Site};
use super::when::When;

const NAV: [NavEntry; 3] = [
    NavEntry {
        href: "/",
        label: "Objectives",
    },
    NavEntry {
        href: "/incidents",
        label: "Incidents",
    },
    NavEntry {
        href: "/sources",
        label: "Sources",
    },
];

/// So many objectives that count twice are told of on each page; `/api/v1/status` lists all.
const DOUBLED: usize = 3;

/// What `layout.html` shows around every page.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The page's name.
    pub title: String,
    /// All entries of the navigation, and whether it is the one that is shown.
    pub nav: Vec<(NavEntry, bool)>,
    /// What the site says on every page.
    pub banner: Option<String>,
    /// What is amiss with the daemon itself, each in a sentence.
    pub notices: Vec<Prose>,
    /// How old all of it is.
    pub age: Age,
    /// Style, script and icon.
    pub assets: Assets,
    /// The version of this program.
    pub version: &'static str,
}

/// How old what a page shows is.
#[derive(Clone, Debug)]
pub struct Age {
    /// Whether ticks are missing: nothing is known to be well then.
    pub stale: bool,
    /// What to say about that.
    pub alarm: Option<String>,
    /// When it was, with its markup.
    pub at: Option<String>,
    /// How long ago, in words.
    pub ago: String,
    /// How long ago, in whole seconds, for the script that counts on.
    pub seconds: i64,
    /// How often it is looked at anew when no event comes, in seconds.
    pub every: i64,
}

impl FromRequestParts<AppState> for Layout {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let moment = Moment::from_request_parts(parts, state).await?;
        Ok(Self::of(&moment, &state.site, parts.uri.path()))
    }
}

impl Layout {
    /// The frame of the page at `path`.
    pub(in crate::http) fn of(moment: &Moment, site: &Site, path: &str) -> Self {
        let nav = NAV.iter().chain(&site.nav);
        let here = |href: &str| match href {
            "/" => path == "/" || path.starts_with("/slos/"),
            _ => path == href || path.starts_with(&format!("{href}/")),
        };
        Self {
            title: "Sloburn".to_owned(),
            nav: nav.map(|entry| (*entry, here(entry.href))).collect(),
            banner: site.banner.clone(),
            notices: notices(&moment.read).into_iter().map(Prose::of).collect(),
            age: Age::of(moment),
            assets: Assets::default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The same with the page's name.
    pub fn titled(self, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, ..self }
    }
}

impl Age {
    fn of(moment: &Moment) -> Self {
        let (freshness, tick) = (moment.freshness, moment.read.snapshot.tick);
        let age = freshness.age.unwrap_or_default().max(Span::ZERO);
        let ago = words::words(age);
        let exact = |at: Timestamp| When::exact(at, at + age);
        let alarm = match freshness.at {
            None => Some("No tick has run yet, so nothing is known of any objective.".to_owned()),
            Some(at) if freshness.stale && freshness.age < Some(Span::ZERO) => Some(format!(
                "The clock was set back, and no tick is run before it shows {} again. What you see \
                 is old, and nothing is known to be well. Set the clock right.",
                exact(at).text()
            )),
            Some(at) if freshness.stale => Some(format!(
                "No tick since {}, {ago} ago; one is due every {tick}. What you see is old, and \
                 nothing is known to be well. The log of Sloburn says more.",
                exact(at).text()
            )),
            Some(_) => None,
        };
        Self {
            stale: freshness.stale,
            alarm,
            at: freshness.at.map(|at| exact(at).to_string()),
            ago,
            seconds: age.as_millis() / 1_000,
            every: (tick.as_millis() / 1_000).clamp(2, 60),
        }
    }
}

/// What the daemon has to say about itself.
fn notices(read: &Reading) -> Vec<String> {
    let engine = &read.snapshot.engine;
    let store = read.store.as_ref();
    let mut notices: Vec<String> = store.and_then(|it| it.notice.clone()).into_iter().collect();
    notices.extend(engine.store_error.as_ref().map(|why| {
        format!("The last commit failed; alerts are told from memory, and what it held is kept for the next: {why}")
    }));
    let definitions = read.definitions.as_ref();
    let refused = definitions.and_then(|it| it.refused.as_ref());
    notices.extend(refused.map(|refused| refused.reason.clone()));
    let sources = read.snapshot.sources.iter();
    notices.extend(sources.filter_map(|source| {
        let why = source.error.as_ref()?;
        Some(format!("Source `{}` is not read well: {why}", source.name))
    }));
    let doubled = &read.snapshot.doubled;
    notices.extend(doubled.iter().take(DOUBLED).map(ToString::to_string));
    if let more @ 1.. = doubled.len().saturating_sub(DOUBLED) {
        notices.push(format!(
            "{more} more objectives count events twice: `countedTwice` of /api/v1/status lists them"
        ));
    }
    if let Some(delivery) = &read.delivery {
        notices.extend(
            delivery
                .error
                .as_ref()
                .map(|why| format!("What waits to be told cannot be read: {why}")),
        );
        notices.extend(delivery.receivers.iter().filter_map(|it| {
            let (why, count) = (it.error.as_ref()?, it.waiting);
            let is = if count == 1 {
                "notice waits"
            } else {
                "notices wait"
            };
            let then = if it.permanent {
                "; it will fail again until that is mended"
            } else {
                ""
            };
            Some(format!(
                "{count} {is} for receiver `{}`: {why}{then}",
                it.receiver
            ))
        }));
    }
    notices
}
