//! Notices what the CSV reader passes over: a quoted cell that never ends.

use std::io::{self, Read};

/// The longest cell. Descriptions have some thousand characters; more means that a quote is missing.
pub(super) const MAX_CELL_BYTES: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a row a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Bare,
    Quoted,
    /// After a quote within a quoted cell: its end, or the first of two.
    QuoteInQuoted,
}

/// Passes bytes on and keeps the state that the CSV reader has after them.
#[derive(Debug)]
pub(super) struct QuoteWatch<R> {
    inner: R,
    state: State,
    cell_bytes: usize,
    seen: usize,
    at_end: bool,
}

impl<R: Read> QuoteWatch<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            state: State::CellStart,
            cell_bytes: 0,
            seen: 0,
            at_end: false,
        }
    }

    /// True where the file has ended within quotes.
    pub(super) fn ended_in_quotes(&self) -> bool {
        self.at_end && self.state == State::Quoted
    }

    fn step(&mut self, byte: u8) {
        let in_mark = BYTE_ORDER_MARK.get(self.seen) == Some(&byte);
        self.seen = self.seen.saturating_add(1);
        self.cell_bytes += 1;
        self.state = match (self.state, byte) {
            (State::CellStart, b'"') => State::Quoted,
            (State::CellStart, _) if in_mark => State::CellStart,
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) | (State::QuoteInQuoted, b'"') => State::Quoted,
            (_, b',' | b'\n' | b'\r') => {
                self.cell_bytes = 0;
                State::CellStart
            }
            _ => State::Bare,
        };
    }
}

impl<R: Read> Read for QuoteWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.at_end = read == 0 && !buffer.is_empty();
        for byte in buffer.iter().take(read) {
            self.step(*byte);
            if self.cell_bytes > MAX_CELL_BYTES {
                return Err(io::Error::other(format!(
                    "a cell has more than {MAX_CELL_BYTES} bytes: a quote is missing"
                )));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn ends_in_quotes(text: &str) -> bool {
        let mut watch = QuoteWatch::new(text.as_bytes());
        io::copy(&mut watch, &mut io::sink()).unwrap();
        watch.ended_in_quotes()
    }

    #[rstest]
    #[case("a,b\n1,2\n", false)]
    #[case("a,\"b\"\n", false)]
    #[case("a,\"b\"\"c\"", false)]
    #[case("a,\"b", true)]
    #[case("a,\"b\"\"", true)]
    #[case("a,5\" gun\n", false)]
    #[case("\u{feff}\"a\",\"b", true)]
    #[case("\u{feff}\"a\",\"b\"", false)]
    #[case("", false)]
    fn open_quotes(#[case] text: &str, #[case] open: bool) {
        assert_eq!(ends_in_quotes(text), open);
    }

    #[test]
    fn a_cell_has_a_limit() {
        let text = format!("a,\"{}", "x".repeat(MAX_CELL_BYTES + 1));
        let error = io::copy(&mut QuoteWatch::new(text.as_bytes()), &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("a quote is missing"), "{error}");
    }

    proptest! {
        /// Whatever the csv crate writes is whole, and cut anywhere within a quoted cell it is not.
        #[test]
        fn agrees_with_the_csv_writer(cells in proptest::collection::vec("[a\",\n ]{0,6}", 1..6)) {
            let mut writer = csv::WriterBuilder::new()
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert!(!ends_in_quotes(&text));
            let without_last_quote = text.trim_end_matches('\n').strip_suffix('"').unwrap();
            prop_assert!(ends_in_quotes(without_last_quote));
        }
    }
}
