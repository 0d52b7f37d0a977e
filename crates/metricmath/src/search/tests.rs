use super::*;
use crate::Expression;

const DIMENSIONS: [(&str, &str); 2] = [("InstanceId", "i-0123abc"), ("My Dim", "ProjectA web")];

fn search(query: &str) -> Search {
    let expression = Expression::parse(&format!("SEARCH('{query}', 'p90', 300)")).expect(query);
    expression.searches()[0].clone()
}

fn finds(query: &str, name: &str) -> bool {
    let metric = Identity { namespace: "AWS/EC2", name, dimensions: &DIMENSIONS };
    search(query).matches(metric)
}

#[test]
fn a_search_says_how_it_is_read() {
    let found = search(" {AWS/EC2, \"My Dim\", InstanceId}, MetricName=\"m\" ");
    let schema = found.schema.expect("a schema");
    assert_eq!(
        (schema.namespace.as_str(), schema.dimensions),
        ("AWS/EC2", vec!["My Dim".to_owned(), "InstanceId".to_owned()])
    );
    assert_eq!((found.stat.as_str(), found.period_s), ("p90", Some(300)));
    let expression = Expression::parse("SEARCH(' x ', 'Sum')").expect("an expression");
    assert_eq!(expression.searches()[0].period_s, None);
}

#[test]
fn terms_find_what_the_guide_says() {
    for query in [
        "{AWS/EC2,InstanceId,\"My Dim\"}",
        "{AWS/EC2, \"My Dim\", InstanceId} CPU",
        "CPUUtilization",
        "cpu",
        "utilization EC2",
        "\"CPUUtilization\"",
        "MetricName=\"CPUUtilization\"",
        "MetricName=cpu Namespace=AWS",
        "MetricName = cpu",
        "InstanceId=\"i-0123abc\"",
        "InstanceId=(\"x\" OR \"i-0123abc\")",
        "\"My Dim\"=web",
        "network OR cpu",
        "(network OR cpu) AND ProjectA",
        "cpu NOT network",
        "NOT Namespace=Lambda",
        "MetricName=\"Errors\" OR (MetricName=\"CPUUtilization\" AND (ProjectA OR ProjectB))",
        "NOT (x OR y)",
    ] {
        assert!(finds(query, "CPUUtilization"), "{query}");
    }
    for query in [
        "{AWS/EC2}",
        "{AWS/EC2,InstanceId}",
        "{EC2,InstanceId,\"My Dim\"}",
        "\"CPU\"",
        "\"cpuutilization\"",
        "MetricName=\"CPU\"",
        "InstanceId=cpu",
        "Other=cpu",
        "network cpu",
        "NOT cpu",
        "cpu AND NOT EC2",
        "cpu NOT \"ProjectA web\"",
    ] {
        assert!(!finds(query, "CPUUtilization"), "{query}");
    }
    assert!(finds("\"Europe\\\\France Traffic\\(Network\\)\"", "Europe\\France Traffic(Network)"));
}

#[test]
fn what_is_no_search_is_refused() {
    for query in [
        "",
        " ",
        "{}",
        "{N",
        "{N,}",
        "{,d}",
        "(a",
        "a)",
        "MetricName=",
        "=x",
        "\"x",
        "a OR",
        "NOT",
        "AND a",
        "x=(a",
        "x=(a b)",
    ] {
        let text = format!("SEARCH('{query}', 'Sum', 60)");
        assert_eq!(Expression::parse(&text), Err(crate::Error::Syntax), "{query}");
    }
    for text in [
        "SEARCH()",
        "SEARCH('x')",
        "SEARCH(a, 'Sum')",
        "SEARCH('x', 'Sum', 0.5)",
        "SEARCH('x', 'Sum', 60, 1)",
    ] {
        assert_eq!(Expression::parse(text), Err(crate::Error::Syntax), "{text}");
    }
}
