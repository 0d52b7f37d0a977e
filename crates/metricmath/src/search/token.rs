//! How names fall into tokens: at changes of case, at numbers, at whatever is neither letter nor number.

/// A text's pieces, as they are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tokens {
    pieces: Vec<String>,
    /// Whether something between pieces was neither letter nor number.
    is_delimited: bool,
}

impl Tokens {
    pub fn of(text: &str) -> Tokens {
        let letters: Vec<char> = text.trim_matches(|c: char| !c.is_alphanumeric()).chars().collect();
        let (mut pieces, mut piece, mut is_delimited) = (Vec::new(), String::new(), false);
        for (place, letter) in letters.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| letters[before]);
            let after = letters.get(place + 1);
            if before.is_some_and(|before| is_border(before, *letter, after)) && !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            if letter.is_alphanumeric() {
                piece.push(*letter);
            } else {
                is_delimited = true;
            }
        }
        if !piece.is_empty() {
            pieces.push(piece);
        }
        Tokens { pieces, is_delimited }
    }

    /// Whether a name has these tokens: as its whole, as one of its tokens, or as tokens that follow each other. The last is
    /// exact about case, unless the tokens are set apart by other signs.
    pub fn are_in(&self, name: &str) -> bool {
        if self.pieces.is_empty() {
            return false;
        }
        let own = Tokens::of(name);
        if self.whole() == own.whole() {
            return true;
        }
        let minds_case = self.pieces.len() > 1 && !self.is_delimited;
        let same = |one: &String, other: &String| {
            if minds_case { one == other } else { one.to_lowercase() == other.to_lowercase() }
        };
        own.pieces
            .windows(self.pieces.len())
            .any(|run| run.iter().zip(&self.pieces).all(|(one, other)| same(one, other)))
    }

    fn whole(&self) -> String {
        self.pieces.concat().to_lowercase()
    }
}

/// Whether a new piece begins with `letter`.
fn is_border(before: char, letter: char, after: Option<&char>) -> bool {
    if !before.is_alphanumeric() || !letter.is_alphanumeric() || before.is_numeric() != letter.is_numeric() {
        return true;
    }
    let starts_word = letter.is_uppercase() && after.is_some_and(|after| after.is_lowercase());
    letter.is_uppercase() && before.is_lowercase() || starts_word && before.is_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_tokens() {
        for (text, pieces) in [
            ("CustomCount1", "Custom Count 1"),
            ("SDBFailure", "SDB Failure"),
            ("Project2-trial333", "Project 2 trial 333"),
            ("couNT", "cou NT"),
            ("--", ""),
        ] {
            assert_eq!(Tokens::of(text).pieces.join(" "), pieces);
        }
    }

    #[test]
    fn terms_are_found_as_the_guide_says() {
        for term in ["count", "Count", "COUNT", "CustomCount", "Count1", "customcount1"] {
            assert!(Tokens::of(term).are_in("CustomCount1"), "{term}");
        }
        for term in ["couNT", "customcount", "count1", "cust", "-"] {
            assert!(!Tokens::of(term).are_in("CustomCount1"), "{term}");
        }
        for term in ["network/errors", "network+errors", "network-errors", "Network_Errors"] {
            assert!(Tokens::of(term).are_in("Network-Errors-2"), "{term}");
            assert!(Tokens::of(term).are_in("NetworkErrors2"), "{term}");
        }
    }
}
