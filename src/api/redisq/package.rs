//! A package: what a queue hands out.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Killmail;
use crate::domain::wire::shape::{EsiKillmail, ZkillboardBlock};
use crate::domain::wire::{EsiBody, ZkbBlock};

/// RedisQ's package, with the body: tools of before 2025-12 need it, and later ones pass it over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedisqPackage)]
pub(super) struct Package<'a> {
    /// The killmail's id.
    #[serde(rename = "killID")]
    kill_id: i64,
    /// ESI's body.
    #[schema(value_type = EsiKillmail)]
    killmail: EsiBody<'a>,
    /// zKillboard's block.
    #[schema(value_type = ZkillboardBlock)]
    zkb: ZkbBlock<'a>,
}

impl<'a> Package<'a> {
    /// The package of a killmail.
    pub(super) fn of(killmail: &'a Killmail) -> Self {
        Self {
            kill_id: killmail.killmail_id,
            killmail: EsiBody(killmail),
            zkb: ZkbBlock(killmail),
        }
    }
}
