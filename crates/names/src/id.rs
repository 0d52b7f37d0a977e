const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A REST API's or root resource's id: 10 of `[a-z0-9]`.
pub fn api_id(entropy: u128) -> String {
    short_id(entropy, 10)
}

/// A resource's or deployment's id: 6 of `[a-z0-9]`.
pub fn resource_id(entropy: u128) -> String {
    short_id(entropy, 6)
}

/// `length` of `[a-z0-9]` from 128 random bits; at most 24 are unbiased enough to be called random.
pub fn short_id(mut entropy: u128, length: usize) -> String {
    let mut id = String::with_capacity(length);
    for _ in 0..length {
        id.push(char::from(LETTERS[(entropy % 36) as usize]));
        entropy /= 36;
    }
    id
}

/// A version-4 UUID in lower case from 128 random bits.
pub fn uuid(entropy: u128) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bits = (entropy & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (place, byte) in bits.to_be_bytes().into_iter().enumerate() {
        at += usize::from(matches!(place, 4 | 6 | 8 | 10));
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    std::str::from_utf8(&text).expect("digits and dashes").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        assert_eq!(api_id(u128::MAX).len(), 10);
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
