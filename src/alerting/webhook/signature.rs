//! The signature of a webhook: HMAC-SHA256 over `id.timestamp.body`, as Standard Webhooks has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::alerting::notifier::NotifyError;

/// The value of `webhook-signature`. The key is base64, with or without `whsec_` before it.
pub(super) fn sign(
    key: &SecretString,
    id: &str,
    seconds: i64,
    body: &str,
) -> Result<String, NotifyError> {
    let text = key.expose_secret();
    let text = text.strip_prefix("whsec_").unwrap_or(text);
    let refused = || {
        NotifyError::permanent(
            "the webhook's signing key is not base64: write it as `whsec_` and the base64 of 24 to 64 random bytes",
        )
    };
    let key = STANDARD.decode(text).map_err(|_| refused())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| refused())?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        let signature = |key: &str| {
            let body = r#"{"test": 2432232314}"#;
            sign(
                &SecretString::from(key),
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                body,
            )
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(signature(&format!("whsec_{key}")).as_deref(), Ok(expected));
        assert_eq!(signature(key).as_deref(), Ok(expected));
        let error = signature("whsec_canary!").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"));
    }
}
