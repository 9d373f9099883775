//! What the program that serves the pages adds to them.

use axum::Router;

use super::super::AppState;

/// Pages, addresses and words beside those that are always there. Nothing by default.
///
/// A page of one's own takes [`Layout`](super::Layout) as an argument of its handler, holds it in
/// the field `layout` of its template, and answers with [`html`](super::html); the template begins
/// with `{% extends "layout.html" %}` and fills `{% block content %}`:
///
/// ```ignore
/// #[derive(Template)]
/// #[template(path = "demo/inbox.html")]
/// struct InboxPage { layout: Layout, messages: Vec<Message> }
///
/// async fn inbox(layout: Layout) -> Response {
///     html(&InboxPage { layout: layout.titled("Inbox"), messages })
/// }
///
/// let site = Site {
///     routes: Router::new().route("/demo/inbox", get(inbox)),
///     nav: vec![NavEntry { href: "/demo/inbox", label: "Inbox" }],
///     banner: Some("Demo clock: 720 × yours; history simulated".into()),
/// };
/// ```
///
/// The script of the pages keeps `<main>` in step with the daemon on every page, one's own too.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// More addresses. They are guarded as all are, and may not clash with those.
    pub routes: Router<AppState>,
    /// More entries of the navigation, after the usual ones.
    pub nav: Vec<NavEntry>,
    /// What every page says at its top, for example that its clock is not the reader's.
    pub banner: Option<String>,
}

/// One entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NavEntry {
    /// Where it leads: a path from the root on.
    pub href: &'static str,
    /// What it is called.
    pub label: &'static str,
}
