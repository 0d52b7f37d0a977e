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
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
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
