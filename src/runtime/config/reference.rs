//! The table of all options, made from what `--help` is made from.

use std::fmt::Write as _;

use clap::{Args as _, Command};

use super::{Config, TelemetryConfig};

/// All options as a Markdown table, in the order of `--help`, without the values of the environment.
pub fn reference_table() -> String {
    let command = Config::augment_args(Command::new("wanderer-kills"));
    let command = TelemetryConfig::augment_args(command);
    let mut table =
        String::from("| environment | option | default | meaning |\n|---|---|---|---|\n");
    for argument in command.get_arguments() {
        let cell = |text: Option<String>| text.map(|text| format!("`{text}`")).unwrap_or_default();
        let environment = argument
            .get_env()
            .map(|name| name.to_string_lossy().into_owned());
        let option = argument.get_long().map(|name| format!("--{name}"));
        let default = argument.get_default_values().first();
        let default = default.map(|value| value.to_string_lossy().into_owned());
        let meaning = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _written = writeln!(
            table,
            "| {} | {} | {} | {} |",
            cell(environment),
            cell(option),
            cell(default),
            meaning.replace('|', "\\|"),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn every_option_has_an_environment_variable_and_a_meaning() {
        let table = reference_table();
        assert!(
            table.contains("| `WK_LISTEN` | `--listen` | `127.0.0.1:4004` |"),
            "{table}"
        );
        for row in table.lines().skip(2) {
            assert!(!row.contains("|  | `--") && !row.ends_with("|  |"), "{row}");
        }
    }

    #[test]
    fn the_defaults_of_the_library_are_those_of_the_command_line() {
        // Without the environment of whoever runs the tests.
        let command = Config::augment_args(Command::new("test").no_binary_name(true))
            .mut_args(|argument| argument.env(None));
        let matches = command.get_matches_from(Vec::<String>::new());
        let parsed = Config::from_arg_matches(&matches).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
    }
}
