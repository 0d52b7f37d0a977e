//! Access key ids: a prefix that says what kind of key it is, and ten bytes in base32 that name the account.
//!
//! The first bit is set, the next forty are the account's number, the rest is random; so an account is known from an id
//! without looking it up. AWS's own ids are made in this way.

use pitbird_names::Account;

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const TEMPORARY: &str = "ASIA";
const LONG_LIVED: &str = "AKIA";
const RANDOM_BITS: u32 = 39;
const NUMBER_MAX: u64 = 999_999_999_999;

/// `ASIA` and 16 letters, from 39 of the random bits.
pub fn temporary(account: &Account, entropy: u128) -> String {
    let number: u128 = account.as_str().parse().expect("an account is twelve digits");
    let random = entropy & ((1 << RANDOM_BITS) - 1);
    let bits = (1 << 79) | (number << RANDOM_BITS) | random;
    let letters = (0..16).rev().map(|at| char::from(LETTERS[(bits >> (5 * at)) as usize & 31]));
    TEMPORARY.chars().chain(letters).collect()
}

/// The account that an access key id names; `None` if it isn't of this form.
pub fn account(id: &str) -> Option<Account> {
    let letters = id.strip_prefix(TEMPORARY).or_else(|| id.strip_prefix(LONG_LIVED))?;
    if letters.len() != 16 {
        return None;
    }
    let mut bits: u128 = 0;
    for letter in letters.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = bits << 5 | value as u128;
    }
    let number = (bits >> RANDOM_BITS) as u64 & ((1 << 40) - 1);
    let is_new_form = bits >> 79 == 1 && number <= NUMBER_MAX;
    is_new_form.then(|| Account::parse(&format!("{number:012}"))).flatten()
}

/// The account of a temporary key.
pub fn temporary_account(id: &str) -> Option<Account> {
    id.starts_with(TEMPORARY).then(|| account(id)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_account() {
        for number in ["000000000000", "000000000001", "123456789012", "999999999999"] {
            let of = Account::parse(number).expect("an account");
            for entropy in [0, 1, u128::MAX] {
                let id = temporary(&of, entropy);
                assert_eq!(id.len(), 20);
                assert_eq!(account(&id), Some(of.clone()), "{id}");
                assert_eq!(temporary_account(&id), Some(of.clone()));
                let long_lived = id.replace("ASIA", "AKIA");
                assert_eq!((account(&long_lived), temporary_account(&long_lived)), (Some(of.clone()), None));
            }
        }
    }

    #[test]
    fn what_names_no_account_is_said_to() {
        for id in [
            "",
            "ASIA",
            "AKIAIOSFODNN7EXAMPLE",
            "ASIA77777777777777777",
            "ASIA7777777777777777",
            "ASIAé7777777777777",
            "test",
        ] {
            assert_eq!(account(id), None, "{id}");
        }
    }
}
