//! Every refusal is JSON with one sentence that says what would be right.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;

use super::explain::explaining;
use super::{ask, fresh, send};
use crate::http::{ADDRESSES, guarded};

#[tokio::test(start_paused = true)]
async fn refusals_say_what_would_be_right() {
    let mut sentences = String::new();
    for (method, uri) in [
        ("GET", "/api/v1/slos/cart/nothing"),
        ("GET", "/api/v1/slos/%FF/availability"),
        ("GET", "/api/v1/slos?alert=loud"),
        ("GET", "/api/v1/slos?owner=me"),
        ("GET", "/api/v1/slos?limit=-1"),
        ("GET", "/api/v1/slos?cursor=abc"),
        ("GET", "/api/v1/slos/cart/availability?limit=1"),
        ("GET", "/api/v1/services?sort=name"),
        ("GET", "/api/v1/incidents?state=new"),
        ("GET", "/api/v1/status?at=now"),
        ("GET", "/api/v2/slos"),
        ("GET", "/api/v1/slos/"),
        ("GET", "/api/v1/slos/checkout"),
        ("POST", "/api/v1/slos"),
        ("DELETE", "/metrics"),
    ] {
        let answer = ask(&fresh(), method, uri, &[]).await;
        sentences.push_str(&answer.refusal());
        sentences.push('\n');
        let wrong_method = answer.status == 405;
        let allowed = if wrong_method { "GET,HEAD" } else { "" };
        assert_eq!(answer.header("allow"), allowed, "{uri}");
    }
    insta::assert_snapshot!(sentences, @r"
    404 no objective `cart/nothing`; see /api/v1/slos
    400 the address cannot be read; write service and name in UTF-8, percent-encoded
    400 `alert=loud` is not known; allowed are `none`, `ticket`, `page`
    400 unknown parameter `owner`; allowed are `service`, `signal`, `alert`, `compliance`, `outcome`, `search`, `label.NAME`, `sort`, `limit`, `cursor`
    400 `limit=-1` is not a whole number from 1 to 1000
    400 `cursor` is not the `next` of a page of this list in this order; leave it out to begin anew
    400 unknown parameter `limit`; this address takes none
    400 unknown parameter `sort`; allowed are `limit`, `cursor`
    400 `state=new` is not known; allowed are `open`, `closed`, `all`
    400 unknown parameter `at`; this address takes none
    404 nothing is at `/api/v2/slos`; there are /api/v1/status, /api/v1/services, /api/v1/slos, /api/v1/slos/{service}/{name}, /api/v1/slos/{service}/{name}/history, /api/v1/slos/{service}/{name}/explain, /api/v1/incidents, /api/v1/configuration, /api/v1/events, /metrics, /healthz, /livez, /readyz
    404 nothing is at `/api/v1/slos/`; there are /api/v1/status, /api/v1/services, /api/v1/slos, /api/v1/slos/{service}/{name}, /api/v1/slos/{service}/{name}/history, /api/v1/slos/{service}/{name}/explain, /api/v1/incidents, /api/v1/configuration, /api/v1/events, /metrics, /healthz, /livez, /readyz
    404 nothing is at `/api/v1/slos/checkout`; did you mean /api/v1/slos?service=checkout?
    405 `/api/v1/slos` answers GET and HEAD, not POST
    405 `/metrics` answers GET and HEAD, not DELETE
    ");
}

#[tokio::test(start_paused = true)]
async fn the_addresses_that_are_named_are_those_that_answer() {
    for address in ADDRESSES {
        let uri = address.replace("{service}/{name}", "cart/availability");
        let state = explaining(|| None);
        assert_eq!(ask(&state, "GET", &uri, &[]).await.status, 200, "{uri}");
    }
    let index = ask(&fresh(), "GET", "/", &[]).await;
    assert!(ADDRESSES.iter().all(|address| index.body.contains(address)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_an_endless_answer_are_refusals_too() {
    async fn fail() -> &'static str {
        panic!("secret of the inside")
    }
    let routes = || {
        let endless = get(std::future::pending::<&'static str>);
        guarded(
            Router::new()
                .route("/panic", get(fail))
                .route("/endless", endless),
            fresh(),
        )
    };
    let ask = async |uri: &str| {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        send(routes(), request).await.refusal()
    };
    let sentences = [ask("/panic").await, ask("/endless").await].join("\n");
    insta::assert_snapshot!(sentences, @r"
    500 the answer could not be made, which is a fault of Sloburn; its log says more
    503 the answer took longer than 10 s; ask again later
    ");
}
