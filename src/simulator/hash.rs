//! A killmail's hash, derived from what it says. CCP's own recipe is a secret; this one only has to
//! be stable and different for different mails.

use crate::domain::{Killmail, KillmailHash};

const OFFSETS: [u64; 3] = [
    0xcbf2_9ce4_8422_2325,
    0x9ae1_6a3b_2f90_404f,
    0x2545_f491_4f6c_dd1d,
];
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// 40 hexadecimal digits over id, time, place, victim and attackers.
pub(crate) fn of(killmail: &Killmail) -> Option<KillmailHash> {
    let mut text = format!(
        "{}|{}|{}|{:?}",
        killmail.killmail_id,
        killmail.killmail_time.timestamp(),
        killmail.solar_system_id,
        killmail
            .victim
            .character_id
            .or(killmail.victim.corporation_id),
    );
    for attacker in &killmail.attackers {
        let character_id = attacker.character_id.unwrap_or_default();
        text.extend([format!("|{character_id} {}", attacker.damage_done)]);
    }
    let parts = OFFSETS.map(|offset| format!("{:016x}", fold(offset, text.as_bytes())));
    let digits = parts.concat();
    digits.get(..40)?.parse().ok()
}

fn fold(offset: u64, bytes: &[u8]) -> u64 {
    let sum = bytes.iter().fold(offset, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(PRIME).rotate_left(5)
    });
    sum ^ (sum >> 29)
}
