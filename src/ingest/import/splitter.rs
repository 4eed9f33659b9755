//! Cuts a text into documents while it passes by, without understanding them: strings and brackets are all
//! it looks at. What it cuts may be bad JSON; that is found out, and kept, further down.

use bytes::Bytes;

/// The most bytes of one document. A real killmail has at most some megabytes.
pub(super) const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
/// What is kept of a larger one, for whoever looks into the dead letters.
const KEPT_OF_TOO_LARGE: usize = 4 * 1024;

/// How documents stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One a line.
    Lines,
    /// JSON values, over as many lines as they like; the elements of lists are documents.
    Values,
    /// Members of one object, by killmail id.
    Members,
}

/// One document with the place it came from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The line it began on, from 1.
    pub(super) line: u64,
    /// Its key, in [`Layout::Members`].
    pub(super) key: Option<String>,
    /// Its bytes, white space around it removed.
    pub(super) bytes: Bytes,
}

/// See the module's documentation. Feed it, then finish it.
#[derive(Debug)]
pub(super) struct Splitter {
    layout: Layout,
    state: State,
    line: u64,
    /// Brackets open inside the document.
    depth: usize,
    in_string: bool,
    escaped: bool,
    buffer: Vec<u8>,
    started_on: u64,
    too_large: bool,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between values.
    Outside,
    /// Inside the list or object whose parts are documents.
    Container,
    /// Inside a value that is a document itself.
    Value,
    /// Inside something that ends with its line.
    Line,
}

impl Splitter {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            state: State::Outside,
            line: 1,
            depth: 0,
            in_string: false,
            escaped: false,
            buffer: Vec::new(),
            started_on: 1,
            too_large: false,
            limit: MAX_DOCUMENT_BYTES,
        }
    }

    /// Takes the next bytes and adds the documents that end in them to `pieces`.
    pub(super) fn feed(&mut self, chunk: &[u8], pieces: &mut Vec<Piece>) {
        for byte in chunk {
            match self.state {
                State::Outside => self.outside(*byte),
                State::Container => self.container(*byte, pieces),
                State::Value => self.value(*byte, pieces),
                State::Line if *byte == b'\n' => self.cut(State::Outside, pieces),
                State::Line => self.keep(*byte),
            }
            if *byte == b'\n' {
                self.line += 1;
            }
        }
    }

    /// Hands out what is left when the text ends: a last line, or a document that is cut off. True when a
    /// bracket was still open.
    pub(super) fn finish(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let cut_off = matches!(self.state, State::Container | State::Value);
        self.cut(State::Outside, pieces);
        cut_off
    }

    /// The line it has come to, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    fn outside(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() || (byte == b',' && self.layout != Layout::Lines) {
            return;
        }
        self.depth = 0;
        self.in_string = false;
        self.escaped = false;
        self.state = match (self.layout, byte) {
            (Layout::Values, b'[') | (Layout::Members, b'{') => {
                self.state = State::Container;
                return;
            }
            (Layout::Values | Layout::Members, b'{' | b'[') => State::Value,
            (Layout::Lines | Layout::Values | Layout::Members, _) => State::Line,
        };
        if self.state == State::Value {
            self.depth = 1;
        }
        self.keep(byte);
    }

    /// Between the brackets of a container: commas on its own level part the documents.
    fn container(&mut self, byte: u8, pieces: &mut Vec<Piece>) {
        let own_level = self.depth == 0 && !self.in_string;
        match byte {
            b',' if own_level => self.cut(State::Container, pieces),
            b']' | b'}' if own_level => self.cut(State::Outside, pieces),
            _ => {
                self.follow(byte);
                self.keep(byte);
            }
        }
    }

    fn value(&mut self, byte: u8, pieces: &mut Vec<Piece>) {
        self.follow(byte);
        self.keep(byte);
        if self.depth == 0 {
            self.cut(State::Outside, pieces);
        }
    }

    /// Keeps track of strings and brackets.
    fn follow(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// Adds a byte to the document; of one too large only the beginning is kept.
    fn keep(&mut self, byte: u8) {
        if self.buffer.is_empty() {
            if byte.is_ascii_whitespace() {
                return;
            }
            self.started_on = self.line;
        }
        if self.too_large {
            return;
        }
        self.buffer.push(byte);
        if self.buffer.len() > self.limit {
            self.too_large = true;
            self.buffer.truncate(KEPT_OF_TOO_LARGE);
            self.buffer.shrink_to_fit();
        }
    }

    /// Ends the document, if there is one.
    fn cut(&mut self, next: State, pieces: &mut Vec<Piece>) {
        self.state = next;
        self.too_large = false;
        let bytes = std::mem::take(&mut self.buffer);
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return;
        }
        let (key, bytes) = match (self.layout, member(bytes)) {
            (Layout::Members, Some((key, value))) => (Some(key), value),
            (Layout::Lines | Layout::Values | Layout::Members, _) => {
                (None, Bytes::copy_from_slice(bytes))
            }
        };
        pieces.push(Piece {
            line: self.started_on,
            key,
            bytes,
        });
    }
}

/// Parts `"123": {…}`. A value that is only a hash becomes a document with id and hash.
fn member(bytes: &[u8]) -> Option<(String, Bytes)> {
    let rest = bytes.strip_prefix(b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let (key, rest) = rest.split_at_checked(end)?;
    let key = std::str::from_utf8(key).ok()?;
    let value = rest.strip_prefix(b"\"")?.trim_ascii_start();
    let value = value.strip_prefix(b":")?.trim_ascii_start();
    let is_id = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    if is_id && value.starts_with(b"\"") {
        let hash = std::str::from_utf8(value).ok()?;
        let reference = format!(r#"{{"killmail_id":{key},"hash":{hash}}}"#);
        return Some((key.to_owned(), reference.into()));
    }
    Some((key.to_owned(), Bytes::copy_from_slice(value)))
}

#[cfg(test)]
mod tests;
