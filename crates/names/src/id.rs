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
    let bits = (entropy & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let [first, second, third, last] = [96, 64, 32, 0].map(|shift| digits((bits >> shift) as u32));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&first);
    text[9..13].copy_from_slice(&second[..4]);
    text[14..18].copy_from_slice(&second[4..]);
    text[19..23].copy_from_slice(&third[..4]);
    text[24..28].copy_from_slice(&third[4..]);
    text[28..].copy_from_slice(&last);
    std::str::from_utf8(&text).expect("digits and dashes").to_owned()
}

/// Hexadecimal, all eight at once: each four bits get a byte of their own, and those above nine go on at `a`.
fn digits(bits: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let pairs = (u64::from(bits) | u64::from(bits) << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | bytes << 4) & (EACH * 0x0f);
    let are_letters = ((nibbles + EACH * 6) >> 4) & EACH;
    (nibbles + EACH * u64::from(b'0') + are_letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        assert_eq!(api_id(u128::MAX).len(), 10);
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210), "01234567-89ab-4def-bedc-ba9876543210");
    }
}
