use super::*;

fn problems(config: &Config, asks: Asks) -> String {
    config.validate(asks).unwrap_err().to_string()
}

#[test]
fn the_defaults_lack_only_a_contact() {
    let mut config = Config::default();
    let error = config.validate(Asks::Upstreams).unwrap_err();
    assert_eq!(error.problems.len(), 1);
    assert!(error.problems[0].starts_with("WK_CONTACT is missing"));
    config.validate(Asks::Nothing).unwrap();
    config.upstream.contact = Some("ops@example.org".to_owned());
    config.validate(Asks::Upstreams).unwrap();
}

#[test]
fn haste_is_only_for_this_machine() {
    let mut config = Config::default();
    config.live.r2z2_interval_ms = 10;
    config.live.r2z2_idle_ms = 50;
    config.upstream.esi_interval_ms = 1;
    let text = problems(&config, Asks::Nothing);
    assert!(text.contains("WK_R2Z2_INTERVAL_MS is 10"), "{text}");
    assert!(text.contains("WK_R2Z2_IDLE_MS is 50"), "{text}");
    assert!(text.contains("WK_ESI_INTERVAL_MS is 1"), "{text}");
    config.upstream.esi_url = "http://127.0.0.1:9/".parse().unwrap();
    for url in [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
    ] {
        config.live.r2z2_url = url.parse().unwrap();
        config.validate(Asks::Nothing).unwrap();
    }
    config.live.r2z2_url = "http://127.0.0.1.example.org/".parse().unwrap();
    config.validate(Asks::Nothing).unwrap_err();
}

#[test]
fn all_problems_come_at_once() {
    let mut config = Config::default();
    config.upstream.contact = Some("line\nbreak".to_owned());
    config.upstream.esi_url = "ftp://example.org/".parse().unwrap();
    config.feed.feed_poll_ms = 0;
    assert_eq!(
        config.validate(Asks::Nothing).unwrap_err().problems.len(),
        3
    );
}

#[test]
fn what_is_preloaded_has_bounds() {
    let mut config = Config::default();
    config.preload.regions = vec![1; PreloadConfig::MOST + 1];
    config.preload.days = std::num::NonZeroU32::MAX;
    let text = problems(&config, Asks::Nothing);
    assert!(
        text.contains("WK_PRELOAD_REGIONS has 1001 ids, at most 1000 are allowed"),
        "{text}"
    );
    assert!(text.contains("WK_PRELOAD_DAYS is 4294967295"), "{text}");
}

#[test]
fn no_more_is_preloaded_than_is_kept() {
    let mut config = Config::default();
    config.ingest.retention.retention_days = 3;
    let text = problems(&config, Asks::Nothing);
    assert!(
        text.contains("WK_RETENTION_DAYS is 3, allowed are 0"),
        "{text}"
    );
    assert!(
        text.contains("WK_PRELOAD_DAYS is 7, at most the 3 of"),
        "{text}"
    );
    config.ingest.retention.retention_days = 7;
    config.validate(Asks::Nothing).unwrap();
}

#[test]
fn a_stranger_is_asked_only_with_a_contact() {
    let mut upstream = UpstreamConfig::default();
    let stranger = "https://example.org/x.zip".parse().unwrap();
    let text = upstream.may_ask(&stranger).unwrap_err().to_string();
    assert!(text.contains("example.org is somebody else's"), "{text}");
    let here = "http://127.0.0.1:9/x.zip".parse().unwrap();
    upstream.may_ask(&here).unwrap();
    upstream.contact = Some("ops@example.org".to_owned());
    upstream.may_ask(&stranger).unwrap();
    let file = "ftp://example.org/x.zip".parse().unwrap();
    upstream.may_ask(&file).unwrap_err();
}

#[test]
fn the_user_agent_says_who() {
    let mut config = Config::default();
    config.upstream.contact = Some("ops@example.org".to_owned());
    let agent = config.upstream.user_agent();
    assert!(agent.starts_with("wanderer-kills/"), "{agent}");
    assert!(agent.ends_with(" (ops@example.org)"), "{agent}");
}
