//! The table.

use std::fmt;

/// A figure with what was aimed at.
#[derive(Debug)]
struct Line {
    name: String,
    value: f64,
    unit: &'static str,
    aim: Option<Aim>,
}

/// What was aimed at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// As much or more is good.
    AtLeast(f64),
    /// Less is good.
    Below(f64),
}

/// All figures of one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Adds a figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.push(name.into(), value, unit, None);
    }

    /// Adds a figure that has an aim.
    pub(crate) fn aim(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        aim: Aim,
    ) {
        self.push(name.into(), value, unit, Some(aim));
    }

    fn push(&mut self, name: String, value: f64, unit: &'static str, aim: Option<Aim>) {
        self.lines.push(Line {
            name,
            value,
            unit,
            aim,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| figure | measured | aim | reached |")?;
        writeln!(formatter, "|---|---|---|---|")?;
        for line in &self.lines {
            let (aim, reached) = match line.aim {
                None => (String::new(), ""),
                Some(Aim::AtLeast(aim)) => (format!("≥ {aim}"), yes(line.value >= aim)),
                Some(Aim::Below(aim)) => (format!("< {aim}"), yes(line.value < aim)),
            };
            let decimals = if line.value < 100.0 { 2 } else { 0 };
            writeln!(
                formatter,
                "| {} | {:.decimals$} {} | {aim} | {reached} |",
                line.name, line.value, line.unit
            )?;
        }
        Ok(())
    }
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}
