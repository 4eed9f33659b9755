use chrono::{DateTime, Days, NaiveTime, Utc};

/// How long killmails are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Retention")]
pub struct RetentionConfig {
    /// Days that killmails are kept, by the time of the kill: 7 or more; 0 keeps all.
    #[arg(
        long,
        env = "WK_RETENTION_DAYS",
        value_name = "DAYS",
        default_value_t = 0,
        value_parser = days
    )]
    pub retention_days: u32,
}

impl RetentionConfig {
    /// The fewest days: what the interfaces promise of the past is a week.
    pub const LEAST_DAYS: u32 = 7;
    /// The most days: a century is more than all.
    pub const MOST_DAYS: u32 = 36_500;

    /// The midnight (UTC) before which killmails are not kept at `now`; `None` where all are.
    pub fn horizon(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = Days::new(u64::from(self.retention_days));
        (self.retention_days > 0)
            .then(|| now.date_naive().checked_sub_days(days))
            .flatten()
            .map(|day| day.and_time(NaiveTime::MIN).and_utc())
    }

    /// What is wrong with it.
    pub(super) fn problem(self) -> Option<String> {
        let (days, least, most) = (self.retention_days, Self::LEAST_DAYS, Self::MOST_DAYS);
        let is_allowed = days == 0 || (least..=most).contains(&days);
        (!is_allowed).then(|| {
            format!("WK_RETENTION_DAYS is {days}, allowed are 0 (keep all) and {least} to {most}")
        })
    }
}

fn days(text: &str) -> Result<u32, String> {
    let (least, most) = (RetentionConfig::LEAST_DAYS, RetentionConfig::MOST_DAYS);
    let allowed = format!("allowed are 0 (keep all) and {least} to {most}");
    let retention_days = text.parse().map_err(|_| allowed)?;
    match (RetentionConfig { retention_days }).problem() {
        None => Ok(retention_days),
        Some(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_is_a_midnight() {
        let now: DateTime<Utc> = "2026-03-10T18:30:00Z".parse().unwrap();
        let kept = |retention_days| RetentionConfig { retention_days }.horizon(now);
        assert_eq!(kept(0), None);
        assert_eq!(kept(7), Some("2026-03-03T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_is_not_allowed_is_told() {
        assert_eq!((days("0"), days("7")), (Ok(0), Ok(7)));
        for text in ["6", "36501", "-1", "all"] {
            let problem = days(text).unwrap_err();
            assert!(
                problem.contains("allowed are 0 (keep all) and 7 to 36500"),
                "{problem}"
            );
        }
        assert!(days("6").unwrap_err().starts_with("WK_RETENTION_DAYS is 6"));
    }
}
