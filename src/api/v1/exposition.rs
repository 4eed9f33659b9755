//! Numbers from our own metrics' exposition.

/// The samples of an exposition.
#[derive(Debug)]
pub(super) struct Exposition(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: String,
    value: f64,
}

impl Exposition {
    /// Reads Prometheus' text; lines that are no samples are passed over.
    pub(super) fn read(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(samples.filter_map(sample).collect())
    }

    /// The sum of a metric's samples that have all of `labels` somewhere in theirs.
    pub(super) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_name = self.0.iter().filter(|sample| sample.name == name);
        of_name
            .filter(|sample| labels.iter().all(|label| sample.labels.contains(label)))
            .map(|sample| sample.value)
            // Not `sum`, which is -0.0 where there is nothing.
            .fold(0.0, std::ops::Add::add)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = head.split_once('{').unwrap_or((head, ""));
    Some(Sample {
        name: name.to_owned(),
        labels: labels.to_owned(),
        value: value.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_zero_without_a_sign() {
        assert!(
            Exposition::read("")
                .sum("killmails", &[])
                .is_sign_positive()
        );
    }

    #[test]
    fn samples_are_summed_by_name_and_label() {
        let exposition = Exposition::read(concat!(
            "# HELP a words\n",
            "a{host=\"esi\",outcome=\"ok\"} 3\n",
            "a{host=\"esi\",outcome=\"error\"} 1\n",
            "a{host=\"zkb\",outcome=\"ok\"} 10\n",
            "ab 100\n",
            "a nonsense\n",
        ));
        assert!((exposition.sum("a", &[]) - 14.0).abs() < f64::EPSILON);
        assert!((exposition.sum("a", &["esi"]) - 4.0).abs() < f64::EPSILON);
        assert!((exposition.sum("a", &["esi", "outcome=\"ok\""]) - 3.0).abs() < f64::EPSILON);
        assert!(exposition.sum("none", &[]).abs() < f64::EPSILON);
    }
}
