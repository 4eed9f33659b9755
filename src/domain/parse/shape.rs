//! Tells the shapes apart and brings wrapper, body and zKillboard's block together.

use serde_json_borrow::{ObjectAsVec as Map, Value};

use super::node::{Object, Path, quoted};
use super::{ParseError, Parsed, Reference, body, scalar, zkb};
use crate::domain::ids::KillmailHash;

/// What an upstream's own message may take of an error, in characters.
const MAX_MESSAGE: usize = 400;

/// Keys of which a body has at least one.
const BODY_KEYS: [&str; 4] = ["victim", "attackers", "killmail_time", "kill_time"];
/// Keys that hold the id, in wrappers and bodies.
const ID_KEYS: [&str; 2] = ["killmail_id", "killID"];
/// Keys that hold the hash, in wrappers, bodies and zKillboard's block.
const HASH_KEYS: [&str; 2] = ["hash", "killmail_hash"];
/// Keys under which a wrapper holds the body: R2Z2's and RedisQ's.
const NESTED_BODY_KEYS: [&str; 2] = ["esi", "killmail"];

const ID_ALLOWED: &str = "a whole number greater than 0";
const HASH_ALLOWED: &str = "a killmail hash of 40 hexadecimal digits";

/// Reads a document of any shape.
pub(super) fn read(value: &Value<'_>) -> Result<Parsed, ParseError> {
    let Value::Object(map) = value else {
        return Err(ParseError::UnknownShape {
            found: quoted(value),
        });
    };
    let root = Path::Root;
    let document = Object { path: &root, map };
    if let Some(package) = map.get("package") {
        return read_package(document, package);
    }
    let known = ID_KEYS
        .iter()
        .chain(&BODY_KEYS)
        .chain(&NESTED_BODY_KEYS)
        .any(|key| map.contains_key(key));
    if known {
        return read_wrapper(document);
    }
    Err(
        upstream_error(document).unwrap_or_else(|| ParseError::UnknownShape {
            found: quoted(value),
        }),
    )
}

/// RedisQ's outer object.
fn read_package(document: Object<'_, '_>, package: &Value<'_>) -> Result<Parsed, ParseError> {
    match package {
        Value::Null => Ok(Parsed::Nothing),
        Value::Object(map) => {
            let path = Path::Key(document.path, "package");
            read_wrapper(Object { path: &path, map })
        }
        Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Array(_) => {
            Err(document.refuse("package", "an object, or null for nothing new"))
        }
    }
}

/// `{"error":…}` of ESI and zKillboard, `{"access":"denied!"}` of RedisQ's last weeks.
fn upstream_error(document: Object<'_, '_>) -> Option<ParseError> {
    let value = document.get("error").or_else(|| document.get("access"))?;
    let message = match value.as_str() {
        Some(text) => text.chars().take(MAX_MESSAGE).collect(),
        None => quoted(value),
    };
    Some(ParseError::UpstreamError { message })
}

/// An object with an id, and perhaps a body: inside of it, or it is the body itself.
fn read_wrapper(wrapper: Object<'_, '_>) -> Result<Parsed, ParseError> {
    let mut nested: Option<(&str, &Map<'_>)> = None;
    for key in NESTED_BODY_KEYS {
        let body = wrapper.object(key, "an object, or null where the body is missing")?;
        nested = nested.or(body.map(|map| (key, map)));
    }
    let key = nested.map_or("", |(key, _)| key);
    let nested_path = Path::Key(wrapper.path, key);
    let body = match nested {
        Some((_, map)) => Some(Object {
            path: &nested_path,
            map,
        }),
        None => {
            Some(wrapper).filter(|object| BODY_KEYS.iter().any(|key| object.map.contains_key(key)))
        }
    };

    let zkb_path = Path::Key(wrapper.path, "zkb");
    let zkb_object = wrapper.object("zkb", "an object")?.map(|map| Object {
        path: &zkb_path,
        map,
    });

    let mut places = vec![wrapper];
    places.extend(body.filter(|_| nested.is_some()));
    let killmail_id = agreed_id(&places)?;
    places.extend(zkb_object);
    let hash = agreed_hash(&places)?;
    let zkb = zkb_object.map(zkb::read).transpose()?.flatten();

    if let Some(body) = body {
        let known = body::Known {
            killmail_id,
            hash,
            zkb,
        };
        return body::read(body, known).map(|killmail| Parsed::Killmail(Box::new(killmail)));
    }
    let Some(hash) = hash else {
        return Err(zkb_object.unwrap_or(wrapper).refuse("hash", HASH_ALLOWED));
    };
    Ok(Parsed::Reference(Reference {
        killmail_id,
        hash,
        zkb,
    }))
}

/// The id that all places agree on.
fn agreed_id(places: &[Object<'_, '_>]) -> Result<i64, ParseError> {
    let id = agreed(
        places,
        &ID_KEYS,
        "the same killmail id in both",
        |object, key| {
            object.optional(key, ID_ALLOWED, |value| {
                scalar::integer(value).filter(|id| *id > 0)
            })
        },
    )?;
    id.ok_or_else(|| ParseError::Field {
        field: places
            .first()
            .map(|object| Path::Key(object.path, "killmail_id").to_string())
            .unwrap_or_default(),
        value: "missing".to_owned(),
        allowed: ID_ALLOWED,
    })
}

/// The hash that all places agree on. An empty one counts as absent.
fn agreed_hash(places: &[Object<'_, '_>]) -> Result<Option<KillmailHash>, ParseError> {
    agreed(
        places,
        &HASH_KEYS,
        "the same hash in both",
        |object, key| {
            let blank = object
                .get(key)
                .and_then(Value::as_str)
                .is_some_and(|text| text.trim().is_empty());
            if blank {
                return Ok(None);
            }
            object.optional(key, HASH_ALLOWED, |value| value.as_str()?.parse().ok())
        },
    )
}

/// Reads one fact wherever it stands and refuses a document that contradicts itself.
fn agreed<T: PartialEq + std::fmt::Display>(
    places: &[Object<'_, '_>],
    keys: &[&str],
    allowed: &'static str,
    read: impl Fn(&Object<'_, '_>, &str) -> Result<Option<T>, ParseError>,
) -> Result<Option<T>, ParseError> {
    let mut found: Option<(String, T)> = None;
    for object in places {
        for key in keys {
            let Some(value) = read(object, key)? else {
                continue;
            };
            let place = || Path::Key(object.path, key).to_string();
            match &found {
                None => found = Some((place(), value)),
                Some((first, other)) if *other != value => {
                    return Err(ParseError::Field {
                        field: format!("{first} and {}", place()),
                        value: format!("{other} and {value}"),
                        allowed,
                    });
                }
                Some(_) => {}
            }
        }
    }
    Ok(found.map(|(_, value)| value))
}
