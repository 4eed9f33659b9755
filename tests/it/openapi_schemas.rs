//! Shapes of the document have names of their own: of two with the same name, one would silently stand for both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The word that begins a text.
fn word(text: &str) -> &str {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.next().unwrap_or_default()
}

/// Names of the shapes that a file derives.
fn derived(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for rest in text.split("#[derive(").skip(1) {
        let (derives, rest) = rest.split_once(")]").unwrap();
        if !derives.contains("ToSchema") {
            continue;
        }
        let (attributes, item) = ["struct ", "enum "]
            .into_iter()
            .filter_map(|kind| rest.split_once(kind))
            .min_by_key(|(attributes, _)| attributes.len())
            .unwrap();
        let renamed = attributes.split_once("schema(as = ");
        names.push(word(renamed.map_or(item, |(_, name)| name)));
    }
    names
}

/// Names of the shapes that a file writes by hand: those of their types.
fn written(text: &str) -> impl Iterator<Item = &str> {
    text.split("impl ToSchema for ").skip(1).map(word)
}

#[test]
fn every_shape_has_a_name_of_its_own() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in derived(&text).into_iter().chain(written(&text)) {
            places
                .entry(name.to_owned())
                .or_default()
                .push(path.clone());
        }
    }
    assert!(places.len() > 50, "the walk finds shapes: {}", places.len());
    places.retain(|_, places| places.len() > 1);
    assert_eq!(places, BTreeMap::new(), "shapes of the same name");
}

#[test]
fn names_are_found() {
    let text = "#[derive(Debug, ToSchema)]\npub(super) struct One {\n#[derive(Serialize)]\nstruct Two;\n\
        #[derive(ToSchema)]\n#[schema(as = Other)]\nenum Three {";
    assert_eq!(derived(text), ["One", "Other"]);
}
