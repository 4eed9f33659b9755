//! Websocket frames of a byte stream, told apart piece by piece at little cost.

/// The frames of one connection.
#[derive(Debug)]
pub(crate) struct Frames {
    /// Payload bytes of each frame that are looked at.
    looked_at: usize,
    /// Header and first bytes of the frame that is being looked at.
    head: Vec<u8>,
    /// Bytes of it that are still to come and that nobody looks at.
    rest: usize,
}

impl Frames {
    /// Frames of which the first `looked_at` bytes matter.
    pub(crate) fn new(looked_at: usize) -> Self {
        Self {
            looked_at,
            head: Vec::new(),
            rest: 0,
        }
    }

    /// Takes bytes as they arrive, and shows the beginning of each frame's payload once it is there.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut see: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            } else if let Some((first, others)) = bytes.split_first() {
                self.head.push(*first);
                bytes = others;
                self.judge(&mut see);
            }
        }
    }

    /// True when no frame is half read.
    pub(crate) fn between(&self) -> bool {
        self.rest == 0 && self.head.is_empty()
    }

    /// Looks at the frame once enough of it is there.
    fn judge(&mut self, see: &mut impl FnMut(&[u8])) {
        let (start, length) = match *self.head.as_slice() {
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
            [_, 127, _, _, _, _, a, b, c, d, ..] => {
                let length = u32::from_be_bytes([a, b, c, d]);
                (10, usize::try_from(length).unwrap_or(usize::MAX))
            }
            [_, 126 | 127, ..] => return,
            [_, short, ..] => (2, usize::from(short)),
            _ => return,
        };
        let looked_at = length.min(self.looked_at);
        if self.head.len() < start + looked_at {
            return;
        }
        see(self.head.get(start..).unwrap_or_default());
        self.rest = length - looked_at;
        self.head.clear();
    }
}
