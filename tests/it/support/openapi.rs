//! The OpenAPI document, as something to hold answers against.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::app::Answer;

/// The schema of OpenAPI 3.1 documents, as its authors publish it (of 2022-10-07).
pub(crate) const OPENAPI_SCHEMA: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/openapi/schema-3.1-2022-10-07.json"
));

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document.
pub(crate) struct Document {
    pub(crate) json: Value,
    /// The components, with objects closed: what is not told must not be there.
    closed: Value,
}

/// One operation.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) json: &'a Value,
}

impl Operation<'_> {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Document {
    pub(crate) fn of(json: Value) -> Self {
        let mut closed = json["components"].clone();
        let open = combined(&closed);
        for (name, schema) in closed["schemas"].as_object_mut().unwrap() {
            close(schema, open.contains(name));
        }
        Self { json, closed }
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.json["paths"].as_object().unwrap();
        let mut all = Vec::new();
        for (path, item) in paths {
            for method in METHODS {
                if let Some(json) = item.get(method) {
                    all.push(Operation { path, method, json });
                }
            }
        }
        all
    }

    /// Every path with its methods, in capitals.
    pub(crate) fn paths(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for operation in self.operations() {
            let methods = all.entry(operation.path.to_owned()).or_default();
            methods.insert(operation.method.to_uppercase());
        }
        all
    }

    /// A path with its parameters filled in.
    pub(crate) fn sample(path: &str) -> String {
        let parts = path.split('/').map(|part| match part {
            "{id}" if path.starts_with("/api/subscriptions") => "none",
            "{file}" => "1.json",
            "{id}" | "{delivery_id}" => "1",
            "{subscriber_id}" => "nobody",
            _ => part,
        });
        let path: Vec<&str> = parts.collect();
        // Streams end at once when their cursor can't be served, and queues when they have no name.
        let path = path.join("/");
        if path.contains("/stream") {
            format!("{path}?after=x&system_ids=x")
        } else {
            path
        }
    }

    /// Every schema of the document with its place.
    pub(crate) fn schemas(&self) -> Vec<(String, &Value)> {
        let mut found = Vec::new();
        let components = self.json["components"]["schemas"].as_object().unwrap();
        found.extend(
            components
                .iter()
                .map(|(name, schema)| (name.clone(), schema)),
        );
        collect(&self.json["paths"], "", "schema", &mut found);
        found
    }

    /// References that lead nowhere.
    pub(crate) fn dangling_references(&self) -> BTreeSet<String> {
        let mut found = Vec::new();
        collect(&self.json, "", "$ref", &mut found);
        let references = found
            .into_iter()
            .filter_map(|(_, reference)| reference.as_str());
        references
            .filter(|reference| {
                self.json
                    .pointer(reference.trim_start_matches('#'))
                    .is_none()
            })
            .map(str::to_owned)
            .collect()
    }

    /// Holds an answer against what the document says of its path, method and status.
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap();
        let operation = self.operation(method, path);
        let place = format!("{method} {path} {}", answer.status);
        let response = &operation.json["responses"][answer.status.to_string()];
        assert!(
            !response.is_null(),
            "{place} is not documented: {}",
            answer.body
        );
        for name in response["headers"]
            .as_object()
            .into_iter()
            .flat_map(|headers| headers.keys())
        {
            assert_ne!(answer.header(name), "", "{place} has no {name}");
        }
        let Some(content) = response["content"].as_object() else {
            assert_eq!(answer.body, "", "{place} has a body");
            return;
        };
        let kind = answer.header("content-type").split(';').next().unwrap();
        let Some(media) = content.get(kind) else {
            panic!("{place} is {kind:?}, documented is {:?}", content.keys());
        };
        if kind.ends_with("json") {
            self.check_body(&media["schema"], &answer.json(), &place);
        } else {
            assert_eq!(media["schema"]["type"], "string", "{place}");
        }
    }

    fn check_body(&self, schema: &Value, body: &Value, place: &str) {
        let schema = json!({ "allOf": [schema], "components": self.closed });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let wrong: Vec<String> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{place}:\n{}\n{body:#}", wrong.join("\n"));
    }

    fn operation(&self, method: &str, path: &str) -> Operation<'_> {
        let method = method.to_lowercase();
        let fits = |template: &str| {
            let (template, path) = (template.split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template
                    .zip(path)
                    .all(|(part, given)| part == given || part.starts_with('{'))
        };
        let mut fitting: Vec<_> = self
            .operations()
            .into_iter()
            .filter(|operation| operation.method == method && fits(operation.path))
            .collect();
        // A path without parameters goes before one that has them.
        fitting.sort_by_key(|operation| operation.path.contains('{'));
        let found = fitting.into_iter().next();
        found.unwrap_or_else(|| panic!("{method} {path} is not in the document"))
    }
}

/// Every value under `key`, with its place.
fn collect<'a>(value: &'a Value, place: &str, key: &str, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                if name == key {
                    found.push((place.clone(), member));
                }
                collect(member, &place, key, found);
            }
        }
        Value::Array(list) => {
            for (number, member) in list.iter().enumerate() {
                collect(member, &format!("{place}/{number}"), key, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Components that others are put together from.
fn combined(components: &Value) -> BTreeSet<String> {
    let mut lists = Vec::new();
    collect(components, "", "allOf", &mut lists);
    let members = lists
        .into_iter()
        .flat_map(|(_, list)| list.as_array().unwrap());
    members
        .filter_map(|member| member["$ref"].as_str())
        .filter_map(|reference| reference.rsplit('/').next())
        .map(str::to_owned)
        .collect()
}

/// Lets an object have nothing but what is told of it.
fn close(schema: &mut Value, combined: bool) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if members.contains_key("allOf") {
        members.insert("unevaluatedProperties".to_owned(), false.into());
    } else if members.contains_key("properties") && !combined {
        members
            .entry("additionalProperties")
            .or_insert_with(|| false.into());
    }
}
