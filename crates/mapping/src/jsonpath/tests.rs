use super::{FILTER_DEPTH_MAX, JsonPath, PATH_BYTES_MAX};

/// The store of Jayway's own page.
const STORE: &str = r#"{"store":{"book":[
    {"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},
    {"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},
    {"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},
    {"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],
  "bicycle":{"color":"red","price":19.95}},"expensive":10,"odd name":{"it's":1},"empty":[],"none":null}"#;

fn check(path: &str, expected: Option<&str>) {
    let parsed = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(parsed.read_json(STORE).expect(path).as_deref(), expected, "{path}");
}

#[test]
fn definite_paths_give_a_value_or_nothing() {
    check("$.expensive", Some("10"));
    check("$['expensive']", Some("10"));
    check("$[\"store\"]['bicycle'].color", Some("\"red\""));
    check("$.store.book[0].author", Some("\"Nigel Rees\""));
    check("$.store.book[-1].title", Some("\"The Lord of the Rings\""));
    check("$.store.book[4].title", None);
    check("$.store.book[-5].title", None);
    check("$.store.nothing", None);
    check("$.store.book.title", None);
    check("$.none", Some("null"));
    check("$['odd name']['it\\'s']", Some("1"));
    check("expensive", Some("10"));
    check("$.store.bicycle['color','zz','price']", Some(r#"{"color":"red","price":19.95}"#));
}

#[test]
fn indefinite_paths_give_a_list() {
    let authors = r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#;
    check("$.store.book[*].author", Some(authors));
    check("$..author", Some(authors));
    check("$.store..price", Some("[8.95,12.99,8.99,22.99,19.95]"));
    check("$.store.bicycle.*", Some(r#"["red",19.95]"#));
    check("$.store.bicycle[*]", Some(r#"["red",19.95]"#));
    check("$..book[2].title", Some(r#"["Moby Dick"]"#));
    check("$..book[0,1].title", Some(r#"["Sayings of the Century","Sword of Honour"]"#));
    check("$..book[:2].price", Some("[8.95,12.99]"));
    check("$..book[1:2].price", Some("[12.99]"));
    check("$..book[-2:].price", Some("[8.99,22.99]"));
    check("$..book[2:].price", Some("[8.99,22.99]"));
    check("$..book[9:].price", Some("[]"));
    check("$.nothing[*].x", Some("[]"));
    check("$.empty[*]", Some("[]"));
}

#[test]
fn filters() {
    let titles =
        |filter: &str, expected: &str| check(&format!("$.store.book[?({filter})].price"), Some(expected));
    titles("@.isbn", "[8.99,22.99]");
    titles("!@.isbn", "[8.95,12.99]");
    titles("@.price < 10", "[8.95,8.99]");
    titles("@.price <= $['expensive']", "[8.95,8.99]");
    titles("@.price>10 && @.category == 'fiction'", "[12.99,22.99]");
    titles("@.price > 20 || @.category=='reference'", "[8.95,22.99]");
    titles("@.price > 20 || @.category=='reference' && @.price > 100", "[22.99]");
    titles("(@.price > 20 || @.category=='reference') && !(@.price > 10)", "[8.95]");
    titles("@.author =~ /.*REES/i", "[8.95]");
    titles("@.author =~ /Rees/", "[]");
    titles("@.category in ['reference', 'other']", "[8.95]");
    titles("@.category nin ['reference', 'other']", "[12.99,8.99,22.99]");
    titles("@['price'] == 8.95", "[8.95]");
    titles("@.price == '8.95'", "[8.95]");
    titles("@.title contains 'Ring'", "[22.99]");
    titles("@.isbn == null", "[]");
    titles("@.isbn != 'x'", "[8.95,12.99,8.99,22.99]");
    titles("@.title size 9", "[8.99]");
    check("$..[?(@.color)].price", Some("[19.95]"));
    check("$..[?(@.color == \"red\")].price", Some("[19.95]"));
}

#[test]
fn functions_come_last() {
    check("$.store.book.length()", Some("4"));
    check("$.store.book.size()", Some("4"));
    check("$.expensive.length()", Some("null"));
    check("$.store.bicycle.length()", Some("2"));
    check("$.store.bicycle.color.length()", Some("3"));
    check("$.nothing.length()", None);
    check("$..price.max()", Some("22.99"));
    check("$..price.min()", Some("8.95"));
    check("$.store.book[0,2].price.sum()", Some("17.939999999999998"));
    check("$.store.bicycle.keys()", Some(r#"["color","price"]"#));
    check("$..author.first()", Some("\"Nigel Rees\""));
    check("$..author.last()", Some("\"J. R. R. Tolkien\""));
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [
        "",
        "  ",
        "$.",
        "$..",
        "$[",
        "$[]",
        "$['a'",
        "$['a",
        "$[a]",
        "$[1",
        "$[1:2:3]",
        "$.a b",
        "$.a.length(",
        "$.a.unknown()",
        "$.a.length().b",
        "$[?(@.a == )]",
        "$[?(@.a",
        "$[?@.a]",
        "$[?(@.a =~ 'x')]",
        "$[?(unknown)]",
        "$[99999999999999999999]",
    ] {
        assert!(JsonPath::parse(path).is_err(), "{path}");
    }
}

#[test]
fn bounds() {
    let long = |bytes: usize| format!("$.{}", "a".repeat(bytes - 2));
    assert!(JsonPath::parse(&long(PATH_BYTES_MAX)).is_ok());
    assert!(JsonPath::parse(&long(PATH_BYTES_MAX + 1)).is_err());
    let nested = |depth: usize| format!("${}@.a{}", "[?(@".repeat(depth), ")]".repeat(depth));
    assert!(JsonPath::parse(&nested(1)).is_err());
    let parentheses = |depth: usize| format!("$[?({}@.a{})]", "(".repeat(depth), ")".repeat(depth));
    assert!(JsonPath::parse(&parentheses(FILTER_DEPTH_MAX - 1)).is_ok());
    assert!(JsonPath::parse(&parentheses(FILTER_DEPTH_MAX)).is_err());
    assert!(JsonPath::parse(&"$[?(@".repeat(500)).is_err());
    assert!(JsonPath::parse(&format!("$[?(@.a in {})]", "[".repeat(4000))).is_err());
    assert!(JsonPath::parse(&format!("$[?({}@.a)]", "!".repeat(4000))).is_err());
}

#[test]
fn looking_everywhere_for_everything_ends() {
    let wide = format!("[{}1]", "[1,2,3,4,5,6,7,8,9],".repeat(2000));
    let path = JsonPath::parse(&format!("${}", "..*".repeat(8))).expect("a path");
    assert!(path.read_json(&wide).is_ok());
    let filter = JsonPath::parse("$[?(@ in $..*)]").expect("a path");
    assert!(filter.read_json(&wide).is_err());
}

#[test]
fn texts_are_themselves_and_all_else_is_json() {
    let text = |path: &str| JsonPath::parse(path).expect(path).read_text(STORE).expect(path);
    assert_eq!(text("$.store.bicycle.color").as_deref(), Some("red"));
    assert_eq!(text("$.store.bicycle").as_deref(), Some(r#"{"color":"red","price":19.95}"#));
    assert_eq!(text("$.none"), None);
    assert_eq!(JsonPath::parse("$").expect("a path").read_json("no JSON"), Ok(None));
}
