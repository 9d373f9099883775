//! Pages of an objective that has a budget for each group.

use super::*;

/// A board on which `checkout/availability` has a whole and so many groups; each has less budget left than the one before.
fn crowded(groups: u32) -> AppState {
    let mut snapshot = fixture::snapshot();
    let is_it = |it: &&Arc<SloStatus>| it.id == "checkout/availability";
    let whole = snapshot.slos.iter().find(is_it).unwrap().clone();
    for number in 0..groups {
        let mut status = (*whole).clone();
        let group: Group = [("route", format!("/r{number:03}"))].into_iter().collect();
        let slo = status.slo.of_group(group, status.slo.objective);
        let counts = Counts {
            bad: f64::from(number),
            total: 1e6,
        };
        status.group = slo.group.clone();
        status.groups = Some(GroupCount {
            known: u64::from(groups),
            most: 200,
            refused: if groups < 200 { 0 } else { 1_497 },
        });
        status.id = slo.id.to_string();
        status.budget = ErrorBudget::of(counts, slo.objective);
        status.window.counts = counts;
        status.slo = Arc::new(slo);
        snapshot.slos.push(Arc::new(status));
    }
    let board = Board::new(fixture::AT);
    board.publish(snapshot);
    state(board, fixture::NOW)
}

#[tokio::test(start_paused = true)]
async fn of_many_groups_the_worst_have_charts_and_the_others_a_line() {
    let uri = "/slos/checkout/availability";
    for (groups, whole) in [(0, 1), (19, 20), (20, 20), (200, 20)] {
        let page = page_of(&crowded(groups), uri).await.body;
        let counted = |what: &str| page.matches(what).count();
        assert_eq!(counted("<article "), whole, "{groups}");
        assert_eq!(counted(r#"<svg class="plot""#), 2 * whole, "{groups}");
        let rest = usize::try_from(groups).unwrap() + 1 - whole;
        assert_eq!(counted(r#"<td class="num left""#), rest, "{groups}");
    }
    let page = page_of(&crowded(200), uri).await.body;
    // Whatever the order of their budgets, all together come first, and are no group.
    let articles = page.split("<article ").skip(1);
    let titles: Vec<_> = articles
        .map(|it| text(between(it, "<h2", "</h2>")))
        .collect();
    assert_eq!(titles[0], r#"id="h-budget-0">Budget"#);
    assert_eq!(titles[1], "> route=/r199");
    assert_eq!(titles[19], "> route=/r181");
    let others = between(&page, r#"id="h-groups""#, "</section>");
    let rows: Vec<_> = others.split("<tr>").skip(2).map(text).collect();
    insta::assert_snapshot!(format!("{}\n{}", rows[0], rows[180]), @r"
    ✓ OK route=/r180 82.0 % 180 of 1,000,000 0× 5m 0× 1h ● Measured 99.8 %
    ✓ OK route=/r000 100 % 0 of 1,000,000 0× 5m 0× 1h ● Measured 99.8 %
    ");
    let notice = between(&page, "<strong>Not all", "</p>");
    insta::assert_snapshot!(text(notice), @"groups are watched. 1,497 more than the 200 that maxGroups allows are there. No alert can fire for them. Raise maxGroups, narrow the selector, or group by fewer labels or one with fewer values.");
    let page_of_few = page_of(&crowded(20), uri).await.body;
    assert!(!page_of_few.contains("Not all groups"));
    // A hundred and eighty lines weigh less than five charts, of which there would be as many.
    let whole = page_of(&crowded(19), uri).await.body.len();
    assert!(
        page.len() < whole * 5 / 4,
        "{} bytes, {whole} of them charts",
        page.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_has_a_page_of_its_own_and_whatever_links_to_it_finds_it() {
    let state = crowded(30);
    let list = page_of(&state, "/?service=checkout&sort=name").await.body;
    let page = page_of(&state, "/slos/checkout/availability").await.body;
    let mut links: Vec<String> = Vec::new();
    for (html, least) in [(list, 30), (page, 29)] {
        let hrefs = html.split("href=\"").skip(1);
        let hrefs = hrefs.map(|it| it.split('"').next().unwrap().replace("&amp;", "&"));
        let own: Vec<String> = hrefs.filter(|it| it.contains("id=")).collect();
        assert!(own.len() >= least, "{own:?}");
        links.extend(own);
    }
    for link in &links {
        let answer = ask(&state, "GET", link, &[BROWSER]).await;
        assert_eq!(answer.status, 200, "{link}");
    }
    let link = links.iter().find(|it| it.ends_with("%2Fr007%22%7D"));
    let page = page_of(&state, link.unwrap()).await.body;
    assert_eq!(page.matches("<article ").count(), 1);
    assert!(text(&page).contains("route=/r007"), "{page}");
    assert!(!page.contains("h-groups"));
    assert!(page.contains(r#"<a href="/slos/checkout/availability">all of availability</a>"#));
    for (query, status) in [
        ("id=nothing", 400),
        ("id=", 400),
        ("group=x", 400),
        ("id=checkout/availability%7Broute=%22/gone%22%7D", 404),
    ] {
        let page = page_of(&state, &format!("/slos/checkout/availability?{query}")).await;
        assert_eq!(page.status, status, "{query}");
    }
}
