//! Texts that a rendering makes. They stay where they are until all of them go at once, so that a value is copied like a number.

use std::cell::OnceCell;

/// The place for a text, and behind it for all further ones.
#[derive(Debug, Default)]
pub struct Texts(OnceCell<Box<Kept>>);

#[derive(Debug)]
struct Kept {
    text: Box<str>,
    next: Texts,
}

impl Texts {
    /// Keeps a text behind all others; gives it back with the place behind it, from where the way is short.
    pub fn keep(&self, text: Box<str>) -> (&str, &Texts) {
        let mut end = self;
        while let Some(kept) = end.0.get() {
            end = &kept.next;
        }
        let kept = end.0.get_or_init(|| Box::new(Kept { text, next: Texts::default() }));
        (&kept.text, &kept.next)
    }
}

/// One after the other: there may be more than a stack has room for.
impl Drop for Texts {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut kept) = next {
            next = kept.next.0.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_and_go_all_at_once() {
        let texts = Texts::default();
        let (first, mut end) = texts.keep("first".into());
        for number in 0..200_000 {
            let (text, behind) = end.keep(number.to_string().into());
            assert_eq!(text.parse(), Ok(number));
            end = behind;
        }
        assert_eq!((first, end.keep("last".into()).0), ("first", "last"));
        assert_eq!(end.keep("one more".into()).0, "one more");
    }
}
