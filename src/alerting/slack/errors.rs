//! Slack's error codes as sentences that say what to do, and whether waiting helps.

use crate::alerting::http::Reply;
use crate::alerting::notifier::NotifyError;

/// Why Slack did not take a call.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It does not take this form of the message, and may take a plainer one.
    Form(NotifyError),
    /// What was to be edited or answered is not there (any more).
    Gone(NotifyError),
    /// Anything else.
    Other(NotifyError),
}

impl From<Refusal> for NotifyError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Form(error) | Refusal::Gone(error) | Refusal::Other(error) => error,
        }
    }
}

impl From<NotifyError> for Refusal {
    fn from(error: NotifyError) -> Self {
        Self::Other(error)
    }
}

/// The refusal that `code` means; `channel` is where the message should have gone.
pub(super) fn refusal(code: &str, channel: &str, reply: &Reply) -> Refusal {
    let permanent =
        |advice: String| NotifyError::permanent(format!("Slack refuses with `{code}`: {advice}"));
    match code {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            Refusal::Other(reply.busy(format!("Slack asks for fewer messages (`{code}`)")))
        }
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "rollup_error"
        | "team_added_to_org" => {
            Refusal::Other(reply.busy(format!("Slack has trouble (`{code}`); it is tried again")))
        }
        "invalid_blocks"
        | "invalid_blocks_format"
        | "msg_blocks_too_long"
        | "msg_too_long"
        | "invalid_attachments" => Refusal::Form(permanent(
            "it does not take the message, not even as plain text".into(),
        )),
        "message_not_found"
        | "thread_not_found"
        | "cannot_reply_to_message"
        | "cant_update_message"
        | "edit_window_closed" => {
            Refusal::Gone(permanent("the incident's first post is gone".into()))
        }
        _ => Refusal::Other(permanent(advice(code, channel))),
    }
}

/// What to do about a refusal that does not pass by itself.
fn advice(code: &str, channel: &str) -> String {
    match code {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive"
        | "not_allowed_token_type" => {
            "put a valid bot token (xoxb-…) of an installed app into the token file".into()
        }
        "missing_scope" => "give the app the scope `chat:write` and install it again".into(),
        "channel_not_found" => format!(
            "there is no `{channel}` that the app can see: check the name, or invite the app into the private channel"
        ),
        "not_in_channel" => format!(
            "invite the app into `{channel}`, or give it the scope `chat:write.public`"
        ),
        "is_archived" | "channel_is_archived" => {
            format!("`{channel}` is archived: take it out of the archive, or name another")
        }
        "restricted_action" | "restricted_action_read_only_channel" | "action_prohibited"
        | "ekm_access_denied" | "no_permission" => {
            format!("the workspace does not let the app post to `{channel}`: ask its administrators")
        }
        "no_service" | "no_service_id" | "no_active_hooks" | "no_team" | "invalid_token" => {
            "the webhook is revoked or its URL is wrong: make a new one and put it into the URL file".into()
        }
        "user_not_found" | "invalid_payload" | "no_text" | "invalid_json" | "invalid_post_type"
        | "invalid_form_data" | "invalid_arguments" => {
            "it does not understand the call: check that the address is Slack's own".into()
        }
        _ => "look the code up in Slack's documentation".into(),
    }
}
