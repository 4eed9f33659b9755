//! Rules that span several options.

use std::fmt;

use url::{Host, Url};

use super::{Config, LiveSource, PreloadConfig, UpstreamConfig};

/// The pace that R2Z2's operator asks for, in milliseconds: between requests, and after a 404.
const R2Z2_LEAST_INTERVAL_MS: u64 = 200;
const R2Z2_LEAST_IDLE_MS: u64 = 6000;
/// Most of ESI's routes have an error limit but no published pace; ten a second stays far from any.
const ESI_LEAST_INTERVAL_MS: u64 = 100;
/// A contact stands in a header of every request.
const LONGEST_CONTACT: usize = 200;

/// Whether the command at hand asks other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// It does: a contact is needed unless all servers are on this machine.
    Upstreams,
    /// It works on what is here.
    Nothing,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub struct ConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration cannot work:")?;
        for problem in &self.problems {
            write!(formatter, "\n  - {problem}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Checks what single options cannot check.
    ///
    /// # Errors
    /// All problems at once.
    pub fn validate(&self, asks: Asks) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.check_urls(&mut problems);
        self.check_pace(&mut problems);
        self.check_contact(asks, &mut problems);
        self.check_limits(&mut problems);
        self.check_preload(&mut problems);
        self.check_retention(&mut problems);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { problems })
        }
    }

    fn upstreams(&self) -> [(&'static str, &Url); 6] {
        [
            ("WK_R2Z2_URL", &self.live.r2z2_url),
            ("WK_REDISQ_URL", &self.live.redisq_url),
            ("WK_ZKB_URL", &self.upstream.zkb_url),
            ("WK_ESI_URL", &self.upstream.esi_url),
            ("WK_EVEREF_URL", &self.upstream.everef_url),
            ("WK_SHIP_TYPES_URL", &self.upstream.ship_types_url),
        ]
    }

    /// The servers that will really be asked: of the two live sources only the chosen one.
    fn asked(&self) -> impl Iterator<Item = (&'static str, &Url)> {
        let unused: &[&str] = match self.live.live_source {
            LiveSource::R2z2 => &["WK_REDISQ_URL"],
            LiveSource::Redisq => &["WK_R2Z2_URL"],
            LiveSource::None => &["WK_R2Z2_URL", "WK_REDISQ_URL"],
        };
        self.upstreams()
            .into_iter()
            .filter(move |(name, _)| !unused.contains(name))
    }

    fn check_urls(&self, problems: &mut Vec<String>) {
        for (name, url) in self.upstreams() {
            if !matches!(url.scheme(), "http" | "https") {
                problems.push(format!("{name} is no http or https URL"));
            } else if !url.path().ends_with('/') && name != "WK_SHIP_TYPES_URL" {
                problems.push(format!("{name} has to end with a slash"));
            }
        }
    }

    fn check_pace(&self, problems: &mut Vec<String>) {
        let r2z2 = &self.live.r2z2_url;
        for (name, url, value, least) in [
            (
                "WK_R2Z2_INTERVAL_MS",
                r2z2,
                self.live.r2z2_interval_ms,
                R2Z2_LEAST_INTERVAL_MS,
            ),
            (
                "WK_R2Z2_IDLE_MS",
                r2z2,
                self.live.r2z2_idle_ms,
                R2Z2_LEAST_IDLE_MS,
            ),
            (
                "WK_ESI_INTERVAL_MS",
                &self.upstream.esi_url,
                self.upstream.esi_interval_ms,
                ESI_LEAST_INTERVAL_MS,
            ),
        ] {
            if value < least && !is_loopback(url) {
                problems.push(format!(
                    "{name} is {value}, at least {least} is what that server can be asked for; less is only for a server on this machine"
                ));
            }
        }
    }

    fn check_contact(&self, asks: Asks, problems: &mut Vec<String>) {
        let contact = self.upstream.contact.as_deref().map(str::trim);
        match contact.filter(|contact| !contact.is_empty()) {
            Some(contact) if !fits_in_user_agent(contact) => problems.push(contact_does_not_fit()),
            Some(_) => {}
            None if asks == Asks::Nothing => {}
            None => {
                if let Some((name, _)) = self.asked().find(|(_, url)| !is_loopback(url)) {
                    problems.push(format!(
                        "WK_CONTACT is missing: {name} is somebody else's server, whose operator wants to know whom to \
                         write to before blocking a misbehaving program (give an e-mail address or a URL)"
                    ));
                }
            }
        }
    }

    fn check_limits(&self, problems: &mut Vec<String>) {
        for (name, value) in [
            ("WK_REQUEST_TIMEOUT_S", self.api.request_timeout_s),
            ("WK_SEND_TIMEOUT_S", self.api.send_timeout_s),
            ("WK_HEAD_TIMEOUT_S", self.api.access.head_timeout_s),
            ("WK_QUERY_TIMEOUT_MS", self.database.query_timeout_ms),
            ("WK_UPSTREAM_TIMEOUT_S", self.upstream.upstream_timeout_s),
            ("WK_FEED_POLL_MS", self.feed.feed_poll_ms),
            ("WK_FEED_DAYS", u64::from(self.feed.feed_days)),
        ] {
            if value == 0 {
                problems.push(format!("{name} has to be more than 0"));
            }
        }
    }

    fn check_preload(&self, problems: &mut Vec<String>) {
        for (name, ids) in self.preload.lists() {
            let (count, most) = (ids.len(), PreloadConfig::MOST);
            if count > most {
                problems.push(format!(
                    "{name} has {count} ids, at most {most} are allowed"
                ));
            }
        }
        let (days, most) = (self.preload.days.get(), PreloadConfig::MOST_DAYS);
        if days > most {
            problems.push(format!(
                "WK_PRELOAD_DAYS is {days}, at most {most} are allowed"
            ));
        }
    }

    fn check_retention(&self, problems: &mut Vec<String>) {
        let retention = self.ingest.retention;
        problems.extend(retention.problem());
        let (kept, preloaded) = (retention.retention_days, self.preload.days.get());
        if kept > 0 && preloaded > kept {
            problems.push(format!(
                "WK_PRELOAD_DAYS is {preloaded}, at most the {kept} of WK_RETENTION_DAYS are allowed"
            ));
        }
    }
}

impl UpstreamConfig {
    /// Checks that `url` may be asked: it is on this machine, or its operator is told who asks.
    ///
    /// # Errors
    /// What is wrong with the URL or the contact.
    pub fn may_ask(&self, url: &Url) -> Result<(), ConfigError> {
        let contact = self.contact.as_deref().map(str::trim).unwrap_or_default();
        let problem = if !matches!(url.scheme(), "http" | "https") {
            format!("{url} is no http or https URL")
        } else if !fits_in_user_agent(contact) {
            contact_does_not_fit()
        } else if contact.is_empty() && !is_loopback(url) {
            let host = url.host_str().unwrap_or_default();
            format!(
                "WK_CONTACT is missing: {host} is somebody else's server, whose operator wants to know whom to write \
                 to (give an e-mail address or a URL)"
            )
        } else {
            return Ok(());
        };
        Err(ConfigError {
            problems: vec![problem],
        })
    }
}

fn contact_does_not_fit() -> String {
    format!(
        "WK_CONTACT has to be at most {LONGEST_CONTACT} printable ASCII characters without parentheses"
    )
}

fn fits_in_user_agent(contact: &str) -> bool {
    let printable = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && !b"()".contains(&byte);
    contact.len() <= LONGEST_CONTACT && contact.bytes().all(printable)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
