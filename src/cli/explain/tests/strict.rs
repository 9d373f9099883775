//! A promise of 100 %: what it spends of nothing has no bound, and what is told of it is read again.

use serde_json::Value;

use crate::status::view::explain::ExplanationView;

use super::{OBJECTIVES, explained};

#[tokio::test]
async fn what_has_no_bound_is_told_as_that() {
    let mut told = Vec::new();
    for window in ["1h", "budget"] {
        let ran = explained("shop/strict", &["--window", window]).await;
        let (_, arithmetic) = ran.out.split_once("\nArithmetic\n").unwrap();
        let (arithmetic, _) = arithmetic.split_once("\n    low traffic").unwrap();
        told.push(arithmetic.to_owned());
    }
    insta::assert_snapshot!(told.join("\n\n"), @r"
      total       = Σtotal                 = 22,414
      bad         = Σbad                   = 241
      ratio       = bad / total            = 241 / 22,414 = 1.07522 %
      allowance   = 1 − objective          = 1 − 100 % = 0 %
      burn        = ratio / allowance      = 1.07522 % / 0 % = ∞
      budgetSpent = burn × window / period = ∞ × 1h / 30d = ∞

    Tiers
      fast (page) BURNS: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 0 % = 0 %
          1h: 241 / 22,414 = 1.07522 % > 0 %, above (∞×)
          5m: 60 / 2,160 = 2.77778 % > 0 %, above (∞×)

      total     = Σtotal            = 550,758
      bad       = Σbad              = 241
      ratio     = bad / total       = 241 / 550,758 = 0.043758 %
      allowance = 1 − objective     = 1 − 100 % = 0 %
      burn      = ratio / allowance = 0.043758 % / 0 % = ∞
      allowed   = total × allowance = 550,758 × 0 % = 0
      spent     = bad / allowed     = 241 / 0 = ∞
      remaining = 1 − spent         = 1 − ∞ = −∞

    Tiers
      fast (page) BURNS: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 0 % = 0 %
          1h: 241 / 22,414 = 1.07522 % > 0 %, above (∞×)
          5m: 60 / 2,160 = 2.77778 % > 0 %, above (∞×)
    ");
}

/// A daemon's explanation is text on its way to whoever asked.
#[tokio::test]
async fn every_explanation_that_is_sent_can_be_read() {
    let names = OBJECTIVES.lines();
    let names = names.filter_map(|line| line.trim().strip_prefix("- name: "));
    for name in names {
        let slo = format!("shop/{name}");
        let ran = explained(&slo, &["--format", "json"]).await;
        let sent: Value = serde_json::from_str(&ran.out).unwrap();
        let read: ExplanationView = serde_json::from_value(sent.clone()).expect(name);
        assert_eq!(serde_json::to_value(read).unwrap(), sent, "{name}");
    }
}
