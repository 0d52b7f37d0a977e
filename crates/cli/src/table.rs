//! Aligned columns.

/// Two spaces between columns; numbers to the right, everything else to the left. No line ends in spaces.
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |row: &[String], at: usize| -> String { row.get(at).cloned().unwrap_or_default() };
    let mut widths = vec![0; count];
    let mut numeric = vec![true; count];
    for (index, row) in rows.iter().enumerate() {
        for at in 0..count {
            let text = cell(row, at);
            widths[at] = widths[at].max(text.chars().count());
            // The first row is the heading of tables that have one.
            numeric[at] &= index == 0 && rows.len() > 1 || text.is_empty() || is_number(&text);
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for at in 0..count {
            let text = cell(row, at);
            let pad = " ".repeat(widths[at] - text.chars().count());
            if at > 0 {
                line.push_str("  ");
            }
            if numeric[at] {
                line.push_str(&pad);
                line.push_str(&text);
            } else {
                line.push_str(&text);
                line.push_str(&pad);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn is_number(text: &str) -> bool {
    let text = text.trim_end_matches(['%', ' ']);
    text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["Name", "Requests", "State"], ["base", "9000", "ok"], ["canary", "12", ""]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(columns(&rows), "Name    Requests  State\nbase        9000  ok\ncanary        12\n");
        assert_eq!(columns(&[]), "");
    }
}
