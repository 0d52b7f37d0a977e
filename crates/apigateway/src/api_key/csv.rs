//! The file format of ImportApiKeys: a head line, then a key per line, its fields in the head's order.
//!
//! Source: API Gateway developer guide, "API Gateway API key file format".

use crate::Error;

/// Longest file, bytes, and lines in one. Source: none published; it bounds what one transaction writes.
const FILE_BYTES: usize = 1024 * 1024;
const LINES_MAX: usize = 1000;

/// One key of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub name: Option<String>,
    pub value: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub usage_plan_ids: Vec<String>,
}

/// Reads a file. Columns may come in any order; their names' case doesn't matter.
pub fn parse(file: &[u8]) -> Result<Vec<Line>, Error> {
    if file.len() > FILE_BYTES {
        return Err(Error::Csv(format!("the file is longer than {FILE_BYTES} bytes")));
    }
    let text = std::str::from_utf8(file).map_err(|_| Error::Csv("the file is not UTF-8".to_owned()))?;
    let mut rows = rows(text.trim_start_matches('\u{feff}'))?.into_iter();
    let head: Vec<String> =
        rows.next().unwrap_or_default().iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if !head.iter().any(|name| name == "key") {
        return Err(Error::Csv("there is no column Key".to_owned()));
    }
    let lines: Vec<Line> = rows.map(|row| line(&head, row)).collect::<Result<_, _>>()?;
    if lines.len() > LINES_MAX {
        return Err(Error::TooMany { what: "API keys in a file", limit: LINES_MAX });
    }
    Ok(lines)
}

fn line(head: &[String], row: Vec<String>) -> Result<Line, Error> {
    let mut line = Line::default();
    for (column, field) in head.iter().zip(row) {
        let field = field.trim();
        let text = Some(field.to_owned()).filter(|text| !text.is_empty());
        match column.as_str() {
            "name" => line.name = text,
            "key" => line.value = text,
            "description" => line.description = text,
            "enabled" => line.enabled = field.eq_ignore_ascii_case("true"),
            "usageplanids" => {
                let ids = field.split([',', ';']).map(str::trim).filter(|id| !id.is_empty());
                line.usage_plan_ids = ids.map(str::to_owned).collect();
            }
            other => return Err(Error::Csv(format!("the column {other} is not known"))),
        }
    }
    Ok(line)
}

/// Rows of fields (RFC 4180): quoted fields may hold commas, line ends and doubled quotes. Empty lines are passed over.
fn rows(text: &str) -> Result<Vec<Vec<String>>, Error> {
    let mut rows = Vec::new();
    let (mut row, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut field)),
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !is_quoted => {}
            letter => field.push(letter),
        }
    }
    if is_quoted {
        return Err(Error::Csv("a quote is not closed".to_owned()));
    }
    row.push(field);
    rows.push(row);
    rows.retain(|row| row.iter().any(|field| !field.trim().is_empty()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_in_any_order() {
        let file = "name,Key,enabled,description,usageplanIds\r\nA,aaaaaaaaaaaaaaaaaaaa,true,\"one, \"\"two\"\"\",\"p1,p2\"\r\n\r\n\
                    B,,FALSE";
        let lines = parse(file.as_bytes()).expect("a file");
        let first = Line {
            name: Some("A".to_owned()),
            value: Some("a".repeat(20)),
            description: Some("one, \"two\"".to_owned()),
            enabled: true,
            usage_plan_ids: vec!["p1".to_owned(), "p2".to_owned()],
        };
        let second = Line { name: Some("B".to_owned()), ..Line::default() };
        assert_eq!(lines, [first, second]);
        assert_eq!(parse(b"\xef\xbb\xbfkey\n").expect("a head only"), []);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let many = format!("key\n{}", "a\n".repeat(LINES_MAX + 1));
        let long = vec![b'a'; FILE_BYTES + 1];
        for file in [&b""[..], b"name\nA", b"key,colour\na,b", b"key\n\"a", b"\xff", many.as_bytes(), &long] {
            assert!(parse(file).is_err());
        }
        assert!(parse(format!("key\n{}", "a\n".repeat(LINES_MAX)).as_bytes()).is_ok());
    }
}
