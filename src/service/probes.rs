//! Lets `api` ask what only the composition root knows.

use std::sync::Arc;

use super::Service;
use crate::api::probe::{LiveObstacle, LiveStanding, Probe, Probes};
use crate::ingest::live::{self, Obstacle};
use crate::runtime::config::LiveSource;
use crate::runtime::disk;

impl Service {
    pub(super) fn probes(&self) -> Probes {
        let resolver = self.upstreams.resolver.clone();
        let disk = self
            .database
            .data_dir()
            .map_or_else(Probe::default, |folder| {
                let folder = folder.to_owned();
                Probe::new(move || disk::space(&folder))
            });
        Probes {
            live: self.live_probe(),
            esi: Probe::new(move || resolver.asks_esi().then(|| resolver.can_ask())),
            disk,
        }
    }

    fn live_probe(&self) -> Probe<LiveStanding> {
        let config = &self.config.live;
        let (source, url) = match config.live_source {
            LiveSource::R2z2 => (live::R2Z2, config.r2z2_url.clone()),
            LiveSource::Redisq => (live::REDISQ, config.redisq_url.clone()),
            LiveSource::None => return Probe::default(),
        };
        let (standing, http) = (self.standing.clone(), self.upstreams.http.clone());
        let clock = Arc::clone(&self.clock);
        Probe::new(move || {
            let hindered = standing.hindered(&http, &url, clock.now());
            Some(LiveStanding {
                source,
                obstacle: hindered.map(|hindered| LiveObstacle {
                    reason: match hindered.obstacle {
                        Obstacle::BreakerOpen => "breaker_open",
                        Obstacle::Banned => "banned",
                    },
                    until: hindered.until,
                }),
                last_answer: standing.last_answer(),
            })
        })
    }
}
