//! Tests that found nothing to test with. They pass, and runners hide what a passing test says: so it is told at the end.

use std::io::BufRead;

/// What a test's line begins with that says why it tested nothing.
const MARK: &str = "SKIPPED: ";

/// Reads what nextest's report keeps of each test (JUnit's XML, with the output of passing tests in it).
pub fn in_report(report: &str) -> Vec<String> {
    let mut skips = Vec::new();
    let mut test = String::new();
    for line in report.lines() {
        if line.contains("<testcase ") {
            test = format!("{} {}", attribute(line, "classname"), attribute(line, "name"));
        }
        if let Some((_, why)) = line.split_once(MARK) {
            let why = why.split('<').next().unwrap_or_default();
            skips.push(format!("{test}: {}", plain(why)));
        }
    }
    skips
}

/// An attribute of an element that stands on one line.
fn attribute(line: &str, name: &str) -> String {
    let value = line.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split('"').next());
    plain(value.unwrap_or_default())
}

fn plain(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&").trim().to_owned()
}

/// Cargo's own runner, told to show all output: passes on what it writes without that of passing tests, and keeps what those
/// skipped.
#[derive(Debug, Default)]
pub struct Output {
    is_hidden: bool,
    test: String,
    pub skips: Vec<String>,
}

impl Output {
    /// Reads to the end.
    pub fn pass_on(&mut self, from: impl BufRead, mut to: impl std::io::Write) -> std::io::Result<()> {
        for line in from.split(b'\n') {
            let line = line?;
            if self.is_shown(&String::from_utf8_lossy(&line)) {
                to.write_all(&line)?;
                to.write_all(b"\n")?;
            }
        }
        to.flush()
    }

    fn is_shown(&mut self, line: &str) -> bool {
        match line {
            "successes:" => self.is_hidden = true,
            "failures:" => self.is_hidden = false,
            _ if line.starts_with("test result: ") => self.is_hidden = false,
            _ if !self.is_hidden => {}
            _ => {
                if let Some(test) =
                    line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"))
                {
                    test.clone_into(&mut self.test);
                }
                if let Some((_, why)) = line.split_once(MARK) {
                    self.skips.push(format!("{}: {}", self.test, why.trim()));
                }
            }
        }
        !self.is_hidden
    }
}

/// Says what wasn't tested, if anything.
pub fn tell(skips: &[String]) {
    if skips.is_empty() {
        return;
    }
    eprintln!("ci: SKIPPED on this host, for want of something to test with:");
    skips.iter().for_each(|skip| eprintln!("ci:   {skip}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_which_tests_skipped_and_why() {
        let report = r#"<testsuites name="nextest-run">
    <testsuite name="pitbird-server::java" tests="2">
        <testcase name="a_function_runs" classname="pitbird-server::java" time="0.1">
            <system-out>running 1 test
</system-out>
            <system-err>SKIPPED: no &quot;javac&quot; &amp; no java</system-err>
        </testcase>
        <testcase name="another" classname="pitbird-server::java" time="0.1">
            <system-err>all is well
</system-err>
        </testcase>
        <testcase name="a_third" classname="pitbird-server::java" time="0.1">
            <system-err>words before
SKIPPED: no terraform
words after</system-err>
        </testcase>
    </testsuite>
</testsuites>"#;
        let expected = [
            "pitbird-server::java a_function_runs: no \"javac\" & no java",
            "pitbird-server::java a_third: no terraform",
        ];
        assert_eq!(in_report(report), expected);
        assert!(in_report("").is_empty());
    }

    #[test]
    fn of_passing_tests_only_skips_are_kept() {
        let written = "running 3 tests\ntest a ... ok\ntest b ... ok\ntest c ... FAILED\n\nsuccesses:\n\n\
                       ---- a stdout ----\nSKIPPED: no javac\n\n---- b stdout ----\nnoise\n\nsuccesses:\n    a\n    b\n\n\
                       failures:\n\n---- c stdout ----\nSKIPPED: shown with the failure\n\nfailures:\n    c\n\n\
                       test result: FAILED. 2 passed; 1 failed\n\nrunning 0 tests\n";
        let mut output = Output::default();
        let mut shown = Vec::new();
        output.pass_on(written.as_bytes(), &mut shown).unwrap();
        assert_eq!(output.skips, ["a: no javac"]);
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains("noise") && !shown.contains("no javac"), "{shown}");
        for kept in
            ["test c ... FAILED\n", "shown with the failure\n", "test result: FAILED.", "running 0 tests\n"]
        {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }
}
