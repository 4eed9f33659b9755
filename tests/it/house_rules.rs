//! Rules of this house that the compiler does not know.

use std::fs;
use std::path::{Path, PathBuf};

use wanderer_kills::runtime::config::reference_table;
use wanderer_kills::runtime::telemetry::metric::Metric;

/// Room → rooms that it may import. `service`, `cli`, `main` and `lib` may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("runtime", &["domain"]),
    ("upstream", &["runtime", "domain"]),
    ("store", &["runtime", "domain"]),
    ("ingest", &["upstream", "store", "runtime", "domain"]),
    ("feed", &["store", "runtime", "domain"]),
    ("api", &["feed", "store", "runtime", "domain"]),
    ("simulator", &["domain", "runtime"]),
];

/// Webhooks go out through the one HTTP client.
const EXCEPTION: (&str, &str) = ("src/feed/webhooks", "upstream::http");

const LONGEST_FILE: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file below `folder`, with its path from the root.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// What a file imports against the rules.
fn wrong_imports(room: &str, allowed: &[&str], file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (_, rest) in code
            .match_indices("crate::")
            .map(|(at, word)| code.split_at(at + word.len()))
        {
            let used: String = rest
                .chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect();
            let place = format!("{file}:{}", number + 1);
            if rest.starts_with('{') {
                wrong.push(format!(
                    "{place}: a grouped import hides what `{room}` uses"
                ));
                continue;
            }
            let is_room = MAY_USE.iter().any(|(name, _)| *name == used)
                || ["service", "cli"].contains(&used.as_str());
            let excepted = file.starts_with(EXCEPTION.0) && rest.starts_with(EXCEPTION.1);
            if is_room && used != room && !allowed.contains(&used.as_str()) && !excepted {
                wrong.push(format!("{place}: `{room}` may not use `{used}`"));
            }
        }
    }
    wrong
}

/// Lines of a file before its test module.
fn own_lines(text: &str) -> usize {
    text.split("\n#[cfg(test)]\n")
        .next()
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn rooms_import_only_what_they_may() {
    let wrong: Vec<String> = MAY_USE
        .iter()
        .flat_map(|(room, allowed)| {
            sources(&root().join("src").join(room))
                .into_iter()
                .flat_map(move |(file, text)| wrong_imports(room, allowed, &file, &text))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_import_is_noticed() {
    let check = |text: &str| wrong_imports("store", &["runtime", "domain"], "src/store/x.rs", text);
    assert!(
        check("use crate::domain::Killmail;\nuse crate::store::Error; // crate::api").is_empty()
    );
    assert_eq!(
        check("use crate::api::Error;"),
        ["src/store/x.rs:1: `store` may not use `api`"]
    );
    assert_eq!(check("\nlet x = crate::feed::Tail::new();").len(), 1);
    assert_eq!(check("use crate::{domain, api};").len(), 1);
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|(file, text)| (file, own_lines(&text)))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(file, lines)| format!("{file}: {lines} lines, at most {LONGEST_FILE}"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_metric_is_documented() {
    let page = read("docs/telemetry.md");
    let missing: Vec<String> = Metric::ALL
        .iter()
        .map(|metric| {
            let description = metric.description();
            let labels: Vec<String> = description
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            format!(
                "| `{}` | {} | {} | {} |",
                description.name,
                description.kind.name(),
                labels.join(", "),
                description.help
            )
        })
        .filter(|row| !page.contains(row.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/telemetry.md lacks\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_configuration_lists_every_option() {
    let page = read("docs/configuration.md");
    let (_, after) = page
        .split_once("<!-- config:begin -->")
        .expect("docs/configuration.md has the table's begin mark");
    let (table, _) = after
        .split_once("<!-- config:end -->")
        .expect("docs/configuration.md has the table's end mark");
    let expected = reference_table();
    assert!(
        table.trim() == expected.trim(),
        "docs/configuration.md's table of options is not the current one, which is\n\n{expected}"
    );
}

/// A newcomer's page.
const LONGEST_README: usize = 300;

#[test]
fn the_readme_stays_short_and_its_links_lead_somewhere() {
    let lines = read("README.md").lines().count();
    assert!(lines < LONGEST_README, "README.md has {lines} lines");
    let mut dead = Vec::new();
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    for page in pages.chain([root().join("README.md")]) {
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            let is_outside = target.is_empty() || target.contains("://") || target.contains(' ');
            if !is_outside && !page.parent().unwrap().join(target).exists() {
                dead.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_compatibility_check_has_a_test_of_its_number() {
    let tests = sources(&root().join("tests/it"));
    for number in 1..=32 {
        let name = format!("fn check_{number:02}_");
        assert!(
            tests.iter().any(|(_, text)| text.contains(&name)),
            "no test is named `{name}…`"
        );
    }
}
