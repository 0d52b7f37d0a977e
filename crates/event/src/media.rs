/// An API's `binaryMediaTypes`: which bodies are bytes rather than text. `*/*` stands for all, `image/*` for all images.
#[derive(Debug, Clone, Copy, Default)]
pub struct MediaTypes<'a>(pub &'a [String]);

impl MediaTypes<'_> {
    /// Is a request body of this `Content-Type` binary? No type means `application/json`, as for the service.
    pub fn is_binary(self, content_type: Option<&[u8]>) -> bool {
        self.matches(content_type.unwrap_or(b"application/json"))
    }

    /// Does a client with this `Accept` take a binary answer? Only its first type counts; no header fits `*/*` alone.
    pub fn accepts_binary(self, accept: Option<&[u8]>) -> bool {
        let first = accept.unwrap_or_default().split(|&byte| byte == b',').next();
        self.matches(first.unwrap_or_default())
    }

    fn matches(self, value: &[u8]) -> bool {
        let bare = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        self.0.iter().any(|held| match held.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => {
                let slash = bare.iter().position(|&byte| byte == b'/');
                slash.is_some_and(|slash| bare[..slash].eq_ignore_ascii_case(kind.as_bytes()))
            }
            None => held.as_bytes().eq_ignore_ascii_case(bare),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(held: &[&str]) -> Vec<String> {
        held.iter().map(|&held| held.to_owned()).collect()
    }

    #[test]
    fn a_content_type_matches_without_its_parameters() {
        for (held, content_type, binary) in [
            (&[][..], Some("image/png"), false),
            (&["image/png"][..], Some("image/png"), true),
            (&["image/png"], Some("Image/PNG; q=1"), true),
            (&["image/png"], Some("image/jpeg"), false),
            (&["image/png"], None, false),
            (&["image/*"], Some("image/jpeg"), true),
            (&["image/*"], Some("imagery/jpeg"), false),
            (&["image/*"], Some("image"), false),
            (&["multipart/form-data"], Some("multipart/form-data; boundary=x"), true),
            (&["text/csv", "*/*"], Some(""), true),
            (&["*/*"], None, true),
            (&["application/json"], None, true),
        ] {
            let held = types(held);
            let found = MediaTypes(&held).is_binary(content_type.map(str::as_bytes));
            assert_eq!(found, binary, "{held:?} {content_type:?}");
        }
    }

    #[test]
    fn only_the_first_accepted_type_counts() {
        for (held, accept, binary) in [
            ("image/png", Some("image/png, */*"), true),
            ("image/png", Some("image/png;q=0.9"), true),
            ("image/png", Some("text/html, image/png"), false),
            ("image/png", Some("*/*"), false),
            ("image/png", None, false),
            ("*/*", Some("text/html"), true),
            ("*/*", None, true),
        ] {
            let types = types(&[held]);
            let found = MediaTypes(&types).accepts_binary(accept.map(str::as_bytes));
            assert_eq!(found, binary, "{held} {accept:?}");
        }
    }
}
