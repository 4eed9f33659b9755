use reqwest::header::LOCATION;
use url::Url;

use super::budget::Hosts;
use super::error::{Error, Result, host, place};
use super::request::{Redirects, Request, Response};

/// Where a redirect leads; `None` for an answer that is none.
///
/// # Errors
/// A redirect that must not be followed.
pub(super) fn next_url(
    request: &Request,
    response: &Response,
    hosts: &Hosts,
) -> Result<Option<Url>> {
    if !response.status.is_redirection() || response.status.as_u16() == 304 {
        return Ok(None);
    }
    let refused = |problem: String| Error::Redirect {
        at: place(&request.url),
        problem,
    };
    let target = response
        .headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| request.url.join(text).ok())
        .ok_or_else(|| refused("nowhere".to_owned()))?;
    let same_host = host(&target) == host(&request.url);
    let known = same_host || hosts.knows(&target);
    let downgraded = request.url.scheme() == "https" && target.scheme() != "https";
    if request.redirects == Redirects::Refuse || !known || downgraded {
        return Err(refused(format!("to {}", place(&target))));
    }
    Ok(Some(target))
}
