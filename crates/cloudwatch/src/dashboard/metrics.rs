//! The rows of a metric widget: `["AWS/Lambda", "Errors", "FunctionName", "f", {"stat": "Sum"}]`, with `.` for what stands at the same place
//! of the row before, and `...` for all of it that comes before what follows.

use serde_json::{Map, Value as Json};

use super::shape::{Findings, Member, Place, Shape, is_color, may};

/// Rows of one widget. Source: CloudWatch, dashboard quotas.
const ROWS_MAX: usize = 500;
/// Texts of one row: a namespace, a metric, 30 dimensions with their values.
const TEXTS_MAX: usize = 62;
/// A row that isn't one. Recorded answer of the service.
pub const NO_ROW: &str = "Field \"metrics\" has to be an array of array of strings, with an optional metricRenderer object as last element";

/// How a row is drawn. Source: CloudWatch, metric widget properties, rendering properties object.
const RENDERER: &[Member] = &[
    may("accountId", Shape::Text),
    may("color", Shape::Color),
    may("expression", Shape::Text),
    may("id", Shape::Text),
    may("label", Shape::Text),
    may("period", Shape::Whole(1, 86_400)),
    may("region", Shape::Text),
    may("stat", Shape::Text),
    may("visible", Shape::Flag),
    may("yAxis", Shape::Word(&["left", "right"])),
];

pub fn check(rows: &[Json], place: &Place, findings: &mut Findings) {
    if rows.len() > ROWS_MAX {
        findings.error(place, format!("Should NOT have more than {ROWS_MAX} items"));
    }
    let mut before = 0;
    for (number, row) in rows.iter().take(ROWS_MAX).enumerate() {
        let place = place.at(number);
        match row {
            Json::Array(row) => check_row(row, &mut before, &place, findings),
            _ => findings.error(&place, NO_ROW),
        }
    }
}

/// `before` is how many texts the row before had.
fn check_row(row: &[Json], before: &mut usize, place: &Place, findings: &mut Findings) {
    let (renderer, texts) = match row.split_last() {
        Some((Json::Object(renderer), texts)) => (Some(renderer), texts),
        _ => (None, row),
    };
    if let Some(wrong) = texts.iter().position(|text| !text.is_string()) {
        let words = "Invalid metric field type, only \"String\" type is allowed";
        findings.error(&place.at(wrong), words);
        return;
    }
    let texts: Vec<&str> = texts.iter().filter_map(Json::as_str).collect();
    if texts.is_empty() && renderer.is_some_and(|renderer| renderer.contains_key("expression")) {
        if !renderer.is_some_and(draws) {
            findings.error(place, NO_ROW);
        }
        return;
    }
    let Some(count) = expanded(&texts, *before) else {
        findings.error(place, format!("Should NOT have more than {before} items"));
        return;
    };
    if count < 2 {
        findings.error(place, "Should NOT have fewer than 2 items");
        return;
    }
    // What CloudWatch says of a renderer that is none: it counts as one text too many.
    if count > TEXTS_MAX || count % 2 == 1 || !renderer.is_none_or(draws) {
        let most = (count - count % 2).min(TEXTS_MAX);
        findings.error(place, format!("Should NOT have more than {most} items"));
        return;
    }
    *before = count;
}

/// How many texts a row has with those of the row before; `None` where that has none at that place.
fn expanded(texts: &[&str], before: usize) -> Option<usize> {
    let count = match texts.split_first() {
        Some((&"...", rest)) => before.checked_sub(rest.len()).map(|_| before)?,
        _ => texts.len(),
    };
    let skipped = count - texts.len().min(count);
    let is_known = |(place, text): (usize, &&str)| *text != "." || place + skipped < before;
    texts.iter().enumerate().all(is_known).then_some(count)
}

/// Is it a renderer?
fn draws(renderer: &Map<String, Json>) -> bool {
    renderer.iter().all(|(name, value)| {
        let Some(member) = RENDERER.iter().find(|member| member.name == name) else { return false };
        let mut findings = Findings::default();
        member.shape.check(value, &Place::root(), &mut findings);
        findings.errors.is_empty() && value.as_str().is_none_or(|text| name != "color" || is_color(text))
    })
}
