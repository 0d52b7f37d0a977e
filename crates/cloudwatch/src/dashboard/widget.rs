//! The widgets of a dashboard. Source: CloudWatch, dashboard body structure and syntax.

use serde_json::Value as Json;

use super::shape::{Findings, Member, Place, Shape, check_members, may, must};

/// Widgets of a dashboard. Source: CloudWatch, dashboard quotas.
const WIDGETS_MAX: usize = 500;
/// Items of any other list.
const ITEMS_MAX: usize = 500;

const ROOT: &[Member] = &[
    may("end", Shape::Text),
    may("periodOverride", Shape::Word(&["auto", "inherit"])),
    may("start", Shape::Text),
    may("variables", Shape::List(25, &Shape::Object(VARIABLE))),
    may("widgets", Shape::Any),
];

const VARIABLE: &[Member] = &[
    must("type", Shape::Word(&["pattern", "property"])),
    must("id", Shape::Text),
    may("defaultValue", Shape::Text),
    may("inputType", Shape::Word(&["input", "radio", "select"])),
    may("label", Shape::Text),
    may("pattern", Shape::Text),
    may("populateFrom", Shape::Text),
    may("property", Shape::Text),
    may("search", Shape::Text),
    may("values", Shape::List(ITEMS_MAX, &Shape::Any)),
    may("visible", Shape::Flag),
];

/// A place on the grid, which is 24 wide.
const WIDGET: &[Member] = &[
    must("type", Shape::Word(&["alarm", "chart", "custom", "explorer", "log", "metric", "text"])),
    may("x", Shape::Whole(0, 23)),
    may("y", Shape::Whole(0, i64::MAX)),
    may("width", Shape::Whole(1, 24)),
    may("height", Shape::Whole(1, 1000)),
    must("properties", Shape::Any),
];

const METRIC: &[Member] = &[
    may("accountId", Shape::Text),
    may("annotations", Shape::Object(ANNOTATIONS)),
    may("legend", Shape::Object(&[may("position", Shape::Word(&["bottom", "hidden", "right"]))])),
    may("liveData", Shape::Flag),
    may("metrics", Shape::Metrics),
    may("period", Shape::Either(&Shape::Whole(1, 86_400), &Shape::Word(&["auto"]))),
    may("region", Shape::Text),
    may("setPeriodToTimeRange", Shape::Flag),
    may("singleValueFullPrecision", Shape::Flag),
    may("sparkline", Shape::Flag),
    may("stacked", Shape::Flag),
    may("start", Shape::Text),
    may("end", Shape::Text),
    may("stat", Shape::Text),
    may("table", Shape::Any),
    may("timezone", Shape::Text),
    may("title", Shape::Text),
    may("trend", Shape::Flag),
    may("labels", Shape::Any),
    may("view", Shape::Word(&["bar", "gauge", "pie", "singleValue", "table", "timeSeries"])),
    may("yAxis", Shape::Object(&[may("left", Shape::Object(AXIS)), may("right", Shape::Object(AXIS))])),
];

const AXIS: &[Member] = &[
    may("label", Shape::Text),
    may("max", Shape::Number),
    may("min", Shape::Number),
    may("showUnits", Shape::Flag),
];

const ANNOTATIONS: &[Member] = &[
    may("alarms", Shape::List(1, &Shape::Text)),
    may("horizontal", Shape::List(ITEMS_MAX, &Shape::Either(&Shape::Object(HORIZONTAL), &BAND))),
    may("vertical", Shape::List(ITEMS_MAX, &Shape::Either(&Shape::Object(VERTICAL), &SPAN))),
];

const BAND: Shape = Shape::List(2, &Shape::Object(HORIZONTAL));
const SPAN: Shape = Shape::List(2, &Shape::Object(VERTICAL));

const HORIZONTAL: &[Member] = &[
    must("value", Shape::Number),
    may("color", Shape::Color),
    may("fill", Shape::Word(&["above", "below", "between", "none"])),
    may("label", Shape::Text),
    may("visible", Shape::Flag),
    may("yAxis", Shape::Word(&["left", "right"])),
];

const VERTICAL: &[Member] = &[
    must("value", Shape::Text),
    may("color", Shape::Color),
    may("fill", Shape::Word(&["after", "before", "between", "none"])),
    may("label", Shape::Text),
    may("visible", Shape::Flag),
];

const TEXT: &[Member] =
    &[must("markdown", Shape::Text), may("background", Shape::Word(&["solid", "transparent"]))];

const LOG: &[Member] = &[
    may("accountId", Shape::Text),
    must("query", Shape::Text),
    may("queryLanguage", Shape::Word(&["CWLI", "PPL", "SQL", "logsV2"])),
    must("region", Shape::Text),
    may("stacked", Shape::Flag),
    may("table", Shape::Any),
    may("title", Shape::Text),
    may("view", Shape::Word(&["bar", "pie", "table", "timeSeries"])),
];

const ALARM: &[Member] = &[
    must("alarms", Shape::List(100, &Shape::Text)),
    may("sortBy", Shape::Word(&["default", "stateUpdatedTimestamp", "timestamp"])),
    may("states", Shape::List(3, &Shape::Word(&["ALARM", "INSUFFICIENT_DATA", "OK"]))),
    may("title", Shape::Text),
];

const EXPLORER: &[Member] = &[
    may("aggregateBy", Shape::Any),
    must("labels", Shape::List(ITEMS_MAX, &Shape::Any)),
    must("metrics", Shape::List(ITEMS_MAX, &Shape::Any)),
    may("period", Shape::Whole(1, 86_400)),
    may("region", Shape::Text),
    may("splitBy", Shape::Text),
    may("title", Shape::Text),
    may("widgetOptions", Shape::Any),
];

const CUSTOM: &[Member] = &[
    must("endpoint", Shape::Text),
    may("params", Shape::Any),
    may("title", Shape::Text),
    may("updateOn", Shape::Any),
];

/// Checks the whole body, which is an object.
pub fn check_root(root: &Json, place: &Place, findings: &mut Findings) {
    Shape::Object(ROOT).check(root, place, findings);
    if root.get("end").is_some() && root.get("start").is_none() {
        findings.error(place, "Should have required property 'start'");
    }
    match root.get("widgets") {
        Some(Json::Array(widgets)) => {
            let place = place.at("widgets");
            if widgets.len() > WIDGETS_MAX {
                findings.error(&place, format!("Should NOT have more than {WIDGETS_MAX} items"));
            }
            for (number, widget) in widgets.iter().take(WIDGETS_MAX).enumerate() {
                check_widget(widget, &place.at(number), findings);
            }
        }
        Some(_) => findings.error(&place.at("widgets"), "Should be array"),
        None => {}
    }
}

fn check_widget(widget: &Json, place: &Place, findings: &mut Findings) {
    Shape::Object(WIDGET).check(widget, place, findings);
    for (one, other) in [("x", "y"), ("y", "x")] {
        if widget.get(one).is_some() && widget.get(other).is_none() {
            findings.error(place, format!("Should have required property '{other}'"));
        }
    }
    let kind = widget.get("type").and_then(Json::as_str);
    let Some(properties) = widget.get("properties") else { return };
    let place = place.at("properties");
    let members = match kind {
        Some("metric") => METRIC,
        Some("text") => TEXT,
        Some("log") => LOG,
        Some("alarm") => ALARM,
        Some("explorer") => EXPLORER,
        Some("custom") => CUSTOM,
        // What a chart of PromQL may have isn't published.
        _ => return,
    };
    let Json::Object(object) = properties else { return findings.error(&place, "Should be object") };
    check_members(members, object, &place, findings);
    if kind == Some("metric") {
        check_source(properties, &place, findings);
    }
}

/// A metric widget has metrics in a region, or shows an alarm. Recorded answers of the service.
fn check_source(properties: &Json, place: &Place, findings: &mut Findings) {
    let (metrics, annotations) = (properties.get("metrics"), properties.get("annotations"));
    let shows_alarm = annotations.is_some_and(|annotations| annotations.get("alarms").is_some());
    let has_metrics = metrics.is_some() && properties.get("region").is_some();
    if shows_alarm || has_metrics {
        return;
    }
    if metrics.is_none() {
        findings.error(place, "Should have required property 'metrics'");
    }
    let words = "The metric widget should have specified a region and a data source or an alarm annotation";
    findings.error(place, words);
    if annotations.is_none() {
        findings.error(place, "Should have required property 'annotations'");
    }
}
