//! Messages for Discord's own webhooks: killmails as embeds that people can read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::feed::FeedEvent;

/// Most embeds Discord takes in one message.
pub(super) const MOST_EMBEDS: usize = 10;
/// Longest text of one place in an embed: ten embeds together may have 6000 characters.
const MOST_CHARACTERS: usize = 100;

/// True for the address of one of Discord's webhooks.
pub fn is_discord(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let known = ["discord.com", "discordapp.com"]
        .into_iter()
        .any(|name| host == name || host.ends_with(&format!(".{name}")));
    known && url.path().starts_with("/api/") && url.path().contains("/webhooks/")
}

/// What an embed shows of a killmail.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kill {
    #[serde(rename = "kill_time")]
    time: Option<String>,
    solar_system_name: Option<String>,
    region_name: Option<String>,
    victim: Party,
    attackers: Vec<Party>,
    zkb: Worth,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Party {
    character_name: Option<String>,
    corporation_name: Option<String>,
    corporation_ticker: Option<String>,
    alliance_ticker: Option<String>,
    faction_name: Option<String>,
    ship_type_id: Option<i64>,
    ship_name: Option<String>,
    final_blow: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Worth {
    total_value: Option<f64>,
}

/// The body of a message; without events, a test.
pub(super) fn body(events: &[Arc<FeedEvent>]) -> String {
    let mut body = json!({ "username": "wanderer-kills", "allowed_mentions": { "parse": [] } });
    let (name, value) = if events.is_empty() {
        (
            "content",
            json!("This is a test of your killmail subscription."),
        )
    } else {
        let embeds: Vec<Value> = events.iter().map(|event| embed(event)).collect();
        ("embeds", Value::from(embeds))
    };
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    body.to_string()
}

fn embed(event: &FeedEvent) -> Value {
    let kill: Kill = serde_json::from_slice(&event.document).unwrap_or_default();
    let system = kill
        .solar_system_name
        .as_deref()
        .map_or_else(|| format!("system {}", event.solar_system_id), plain);
    let place = match &kill.region_name {
        Some(region) => format!("{system} ({})", plain(region)),
        None => system,
    };
    let ship = kill.victim.ship_name.as_deref();
    let ship = ship.map_or_else(|| "a ship".to_owned(), plain);
    let image = kill.victim.ship_type_id.map(|ship_type_id| {
        json!({ "url": format!("https://images.evetech.net/types/{ship_type_id}/render?size=128") })
    });
    json!({
        "title": cut(&format!("{} lost {ship} in {place}", pilot(&kill.victim))),
        "url": format!("https://zkillboard.com/kill/{}/", event.killmail_id),
        "timestamp": kill.time,
        "thumbnail": image,
        "fields": [
            { "name": "Value", "value": isk(kill.zkb.total_value), "inline": true },
            { "name": "System", "value": cut(&place), "inline": true },
            { "name": "Final blow", "value": final_blow(&kill.attackers), "inline": true },
        ],
    })
}

fn final_blow(attackers: &[Party]) -> String {
    let Some(last) = attackers.iter().find(|one| one.final_blow) else {
        return "unknown".to_owned();
    };
    let mut text = pilot(last);
    if let Some(ship) = &last.ship_name {
        text = format!("{text} in {}", plain(ship));
    }
    if attackers.len() > 1 {
        text = format!("{text}, {} attackers", attackers.len());
    }
    cut(&text)
}

/// Who it was, as far as that is known.
fn pilot(party: &Party) -> String {
    let names = [
        &party.character_name,
        &party.corporation_name,
        &party.faction_name,
    ];
    let name = names.into_iter().flatten().next();
    let name = name.map_or_else(|| "Someone".to_owned(), |name| plain(name));
    let ticker = party
        .alliance_ticker
        .as_ref()
        .or(party.corporation_ticker.as_ref());
    match ticker {
        Some(ticker) => format!("{name} \\[{}\\]", plain(ticker)),
        None => name,
    }
}

/// Names are players' words: what Discord would format is escaped.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(
            letter,
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '[' | ']' | '(' | ')'
        ) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

fn isk(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "unknown".to_owned();
    };
    for (unit, size) in [("b", 1e9), ("m", 1e6), ("k", 1e3)] {
        if value >= size {
            return format!("{:.2}{unit} ISK", value / size);
        }
    }
    format!("{value:.0} ISK")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::feed::testing::{event, kill};

    #[rstest]
    #[case("https://discord.com/api/webhooks/1/x", true)]
    #[case("https://discordapp.com/api/webhooks/1/x", true)]
    #[case("https://canary.discord.com/api/v10/webhooks/1/x", true)]
    #[case("https://discord.com/channels/1", false)]
    #[case("https://notdiscord.com/api/webhooks/1/x", false)]
    #[case("https://discord.com.example.com/api/webhooks/1/x", false)]
    fn addresses(#[case] url: &str, #[case] discord: bool) {
        assert_eq!(is_discord(&url.parse().unwrap()), discord);
    }

    #[test]
    fn a_message_holds_embeds_and_mentions_nobody() {
        let events = [Arc::new(event(1, &kill(30_000_142, 1)))];
        let body: Value = serde_json::from_str(&body(&events)).unwrap();
        assert_eq!(body["embeds"].as_array().unwrap().len(), 1);
        assert_eq!(body["allowed_mentions"]["parse"], json!([]));
        let url = body["embeds"][0]["url"].as_str().unwrap();
        assert!(url.starts_with("https://zkillboard.com/kill/"), "{url}");
    }

    #[rstest]
    #[case(None, "unknown")]
    #[case(Some(12.0), "12 ISK")]
    #[case(Some(1_234_000_000.0), "1.23b ISK")]
    fn values(#[case] value: Option<f64>, #[case] text: &str) {
        assert_eq!(isk(value), text);
    }

    #[test]
    fn players_words_are_not_formatted() {
        assert_eq!(plain("*x*\n_y_"), r"\*x\*\_y\_");
    }
}
