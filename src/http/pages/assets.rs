//! What pages need beside themselves: one style sheet, one script, one icon, all our own.

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::super::AppState;
use super::super::error::ApiError;

/// A file that is part of the program.
#[derive(Clone, Copy, Debug)]
struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const STYLE: Asset = Asset {
    name: "sloburn.css",
    content_type: "text/css; charset=utf-8",
    text: include_str!("assets/sloburn.css"),
};

const SCRIPT: Asset = Asset {
    name: "sloburn.js",
    content_type: "text/javascript; charset=utf-8",
    text: include_str!("assets/sloburn.js"),
};

const ICON: Asset = Asset {
    name: "icon.svg",
    content_type: "image/svg+xml",
    text: include_str!("assets/icon.svg"),
};

/// The addresses of the files that every page names.
#[derive(Clone, Debug)]
pub struct Assets {
    /// The style sheet.
    pub style: String,
    /// The script.
    pub script: String,
    /// The icon.
    pub icon: String,
}

impl Default for Assets {
    fn default() -> Self {
        Self {
            style: STYLE.address(),
            script: SCRIPT.address(),
            icon: ICON.address(),
        }
    }
}

impl Asset {
    /// The address holds a hash of the content, so that it may be kept for ever.
    fn address(self) -> String {
        format!("/assets/{}/{}", self.version(), self.name)
    }

    /// FNV-1a, 64 bit, in hexadecimal.
    fn version(self) -> String {
        let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let hash = self.text.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
        format!("{hash:016x}")
    }
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/assets/{version}/{name}", get(give))
}

/// Who asks for another version, from a page of an older program, gets today's and keeps it not.
async fn give(Path((version, name)): Path<(String, String)>) -> Result<Response, ApiError> {
    let all = [STYLE, SCRIPT, ICON];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        let path = format!("/assets/{version}/{name}");
        return Err(ApiError::no_such_address(&path));
    };
    let keep = if version == asset.version() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, keep),
    ];
    Ok((headers, asset.text).into_response())
}
