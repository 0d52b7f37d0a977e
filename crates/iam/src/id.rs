//! The unique ids of roles and policies, which survive in logs and trust policies what their names do not.

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Letters after the prefix. Source: IAM user guide, "Unique identifiers".
const LENGTH: usize = 17;

/// `AROA` and 17 letters from 85 of the random bits.
pub fn role(entropy: u128) -> String {
    id("AROA", entropy)
}

/// `ANPA` and 17 letters from 85 of the random bits.
pub fn policy(entropy: u128) -> String {
    id("ANPA", entropy)
}

fn id(prefix: &str, entropy: u128) -> String {
    let letters = (0..LENGTH).map(|at| char::from(LETTERS[(entropy >> (5 * at)) as usize & 31]));
    prefix.chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        assert_eq!(role(0), "AROAAAAAAAAAAAAAAAAAA");
        assert_eq!(policy(u128::MAX), "ANPA77777777777777777");
    }
}
