//! What may be asked of the host's name servers, which take the host's own questions for what they are: names, and nothing else.

/// Bytes of a message's head, before its question. Source: RFC 1035, 4.1.1.
const HEAD_BYTES: usize = 12;
/// Bytes of the shortest question: the root's name, a type and a class.
const QUESTION_BYTES_MIN: usize = 5;
/// Bytes of the length before a message on a connection. Source: RFC 1035, 4.2.2.
const LENGTH_BYTES: usize = 2;

/// Types of questions for whole zones. Sources: RFC 1995, RFC 5936.
const IXFR: u16 = 251;
const AXFR: u16 = 252;

/// A reader of what goes to a name server over a connection: messages, each after its length. It keeps nothing of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Questions {
    /// Bytes of this message that were read, its length among them.
    read: usize,
    /// How long it says it is, bytes.
    length: usize,
    part: Part,
}

/// What the next byte of a question is.
#[derive(Debug, Clone, Copy, Default)]
enum Part {
    /// The length of a label.
    #[default]
    Label,
    /// One of so many of a label.
    Text(u8),
    Type,
    TypeEnd(u8),
    /// Nothing that matters.
    Rest,
}

impl Questions {
    /// Reads on. `false`: this mayn't be asked. It is known before the question is complete, so what was passed on until then
    /// means nothing to a server.
    pub fn read(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.step(*byte))
    }

    fn step(&mut self, byte: u8) -> bool {
        let may = match self.read {
            0 => {
                self.length = usize::from(byte) << 8;
                true
            }
            1 => {
                self.length |= usize::from(byte);
                self.length >= HEAD_BYTES + QUESTION_BYTES_MIN
            }
            // It is no answer, and its opcode is QUERY.
            4 => byte & 0b1111_1000 == 0,
            // It has one question.
            6 => byte == 0,
            7 => byte == 1,
            read if read < LENGTH_BYTES + HEAD_BYTES => true,
            _ => self.step_question(byte),
        };
        self.read += 1;
        let is_end = self.read >= LENGTH_BYTES && self.read == LENGTH_BYTES + self.length;
        if !is_end {
            return may;
        }
        let is_whole = matches!(self.part, Part::Rest);
        *self = Questions::default();
        may && is_whole
    }

    fn step_question(&mut self, byte: u8) -> bool {
        self.part = match self.part {
            Part::Label if byte == 0 => Part::Type,
            // No label: a place elsewhere, which a first name has no use for.
            Part::Label if byte >= 64 => return false,
            Part::Label => Part::Text(byte),
            Part::Text(1) => Part::Label,
            Part::Text(left) => Part::Text(left - 1),
            Part::Type => Part::TypeEnd(byte),
            Part::TypeEnd(first) if matches!(u16::from_be_bytes([first, byte]), IXFR | AXFR) => return false,
            Part::TypeEnd(_) | Part::Rest => Part::Rest,
        };
        true
    }
}

/// May a datagram be passed on to a name server?
pub fn is_question(message: &[u8]) -> bool {
    let Ok(length) = u16::try_from(message.len()) else { return false };
    let mut questions = Questions::default();
    questions.read(&length.to_be_bytes()) && questions.read(message) && questions.read == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with a question of a type, and something after it.
    fn message(flags: u8, count: u8, name: &[u8], kind: u16) -> Vec<u8> {
        let mut message = vec![7, 7, flags, 0, 0, count, 0, 0, 0, 0, 0, 1];
        message.extend(name);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1]);
        message.extend([0xff; 11]);
        message
    }

    #[test]
    fn names_may_be_asked_for_and_zones_not() {
        const NAME: &[u8] = b"\x03www\x07example\0";
        for (flags, count, name, kind, expected) in [
            (0b0000_0001, 1, NAME, 1, true),
            (0, 1, NAME, 28, true),
            (0, 1, b"\0", 2, true),
            (0, 1, NAME, 255, true),
            (0, 1, NAME, 0xfc00, true),
            (0, 1, NAME, AXFR, false),
            (0, 1, b"\0", AXFR, false),
            (0, 1, NAME, IXFR, false),
            // An answer, an inverse question, a status, a notice and an update.
            (0b1000_0000, 1, NAME, 1, false),
            (1 << 3, 1, NAME, 1, false),
            (2 << 3, 1, NAME, 1, false),
            (4 << 3, 1, NAME, 1, false),
            (5 << 3, 1, NAME, 1, false),
            (0, 0, NAME, 1, false),
            (0, 2, NAME, 1, false),
            // A name that goes on elsewhere, and one without an end.
            (0, 1, b"\x03www\xc0\x0c", 1, false),
            (0, 1, b"\x3fwww", 1, false),
        ] {
            let message = message(flags, count, name, kind);
            assert_eq!(is_question(&message), expected, "{flags:#b} {count} {name:?} {kind}");
            let length = (message.len() as u16).to_be_bytes();
            let mut questions = Questions::default();
            let two = [&length[..], &message, &length, &message].concat();
            let pieces = two.chunks(1).all(|piece| questions.read(piece));
            assert_eq!(pieces, expected, "on a connection: {flags:#b} {count} {name:?} {kind}");
        }
        for short in [&b""[..], b"who?", &message(0, 1, NAME, 1)[..24]] {
            assert!(!is_question(short), "{short:?}");
        }
    }

    #[test]
    fn what_is_refused_is_known_before_it_is_complete() {
        let message = message(0, 1, b"\0", AXFR);
        let mut questions = Questions::default();
        assert!(questions.read(&(message.len() as u16).to_be_bytes()));
        assert!(questions.read(&message[..14]), "the type's first byte");
        assert!(!questions.read(&message[14..15]), "its second");
    }
}
