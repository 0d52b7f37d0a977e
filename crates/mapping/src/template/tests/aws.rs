//! What AWS adds to Velocity.

use super::{BODY, check, render_with};
use crate::error::RenderError;

fn with_body(template: &str, body: &str, expected: &str) {
    let rendered = render_with(template, body).unwrap_or_else(|error| panic!("{template}: {error}"));
    assert_eq!(rendered.text, expected, "{template}");
}

#[test]
fn the_body_as_text_value_and_json() {
    check("$input.json('$.name') $input.path('$.name') $input.path('$.age')", "\"Ann\" Ann 7");
    check("$input.json('$.nested')", r#"{"k":[{"c":5}]}"#);
    check("$input.path('$.nested')", r#"{k=[{"c":5}]}"#);
    check("$input.path('$.tags')", r#"["a","b"]"#);
    check("$input.json('$')", super::BODY);
    check("$input.body", super::BODY);
}

#[test]
fn an_empty_body_is_an_empty_object() {
    with_body("$input.body $input.json('$') $input.path('$')", "", "{} {} {}");
}

#[test]
fn members_keep_their_order_and_the_last_of_one_name_counts() {
    let wide = r#"{"id":18446744073709551615,"ids":[9223372036854775808,9223372036854775807]}"#;
    with_body("$input.json('$')", wide, wide);
    with_body(
        "$input.path('$.id') $input.path('$.ids')[0]",
        wide,
        "18446744073709551615 9223372036854775808",
    );
    with_body("#if($input.path('$.id') > $input.path('$.ids')[0])more#end", wide, "more");
    with_body("$input.json('$')", r#"{"z":1,"a":{"y":2,"b":3},"z":4}"#, r#"{"z":4,"a":{"y":2,"b":3}}"#);
}

#[test]
fn a_body_that_is_no_json_is_a_string_unless_it_begins_as_json() {
    with_body("{\"body\": $input.json('$')}", "a=1&b=\"2\"", r#"{"body": "a=1&b=\"2\""}"#);
    assert_eq!(render_with("$input.json('$')", "{\"a\":").err(), Some(RenderError::BodyNotJson));
    with_body("$input.body", "{\"a\":", "{\"a\":");
}

#[test]
fn what_a_path_does_not_find() {
    check(
        "[$input.path('$.zz')] [$!input.path('$.zz')] $input.json('$.zz')",
        "[$input.path('$.zz')] [] \"\"",
    );
    check("#if($input.path('$.zz'))yes#{else}no#end", "no");
    check("#set($next = $input.path('$').zz)#if(\"$!next\" != \"\")yes#{else}no#end", "no");
    check("$input.json('$.none')", "null");
    assert_eq!(render_with("$input.json('$[')", "{}").err(), Some(RenderError::NotAPath("$[".into())));
}

#[test]
fn one_document_is_seen_by_all_who_ask() {
    check("#set($r = $input.path('$.nested'))$!r.put('new', 1)$input.json('$.nested.new')", "1");
}

#[test]
fn parameters_are_searched_in_the_path_then_the_query_then_the_headers() {
    check("$input.params('id') $input.params('q') $input.params('Accept')", "12 x y text/plain");
    check("$input.params('both') $input.params('twice') [$input.params('zz')]", "from path last []");
    check("[$input.params('accept')] [$!input.params().header.get('accept')]", "[] []");
    check("$input.params().keySet() $input.params().path.id", "[path, querystring, header] 12");
    check("$input.params().querystring.get('both')", "from query");
}

#[test]
fn what_is_given_can_be_renamed() {
    check("#set($context = {'stage': 'mine'})$context.stage", "mine");
    check(
        "$context.stage #foreach($context in [{'stage': 'a'}])$context.stage#end $context.stage",
        "beta a beta",
    );
    check(
        "#macro(m $context)$context.stage#end#m({'stage': 'b'})#m($stageVariables) $context.stage",
        "b beta",
    );
    check("#define($input)in#end$input", "in");
    check("#set($util = 'x')#set($stageVariables = {'host': 'y'})$util $stageVariables.host", "x y");
}

#[test]
fn the_context_and_the_stage_variables() {
    check(
        "$context.httpMethod $context.identity.sourceIp $context.requestTimeEpoch",
        "POST 192.0.2.1 1500000000000",
    );
    check("$context.authorizer.claims['cognito:username'] $context.authorizer.claims.sub", "bob 1-2");
    check(
        "$stageVariables.host ${stageVariables.host} $stageVariables['host'] $stageVariables.get('host')",
        "one one one one",
    );
    check(
        "[$context.zz] [$context.identity.user] [$context.identity.zz.more] [$stageVariables.zz]",
        "[] [] [] []",
    );
    check("#if($context.zz)yes#{else}no#end", "no");
    check("#foreach($k in $context.identity.keySet())$k #end", "sourceIp user ");
    check("#foreach($k in $stageVariables.keySet())$k=$stageVariables.get($k) #end", "host=one other=two ");
    check("$context.identity", "{sourceIp=192.0.2.1, user=}");
}

#[test]
fn utilities() {
    check("$util.escapeJavaScript('say \"hi\"')", r#"say \"hi\""#);
    check("#set($t = \"it's\")$util.escapeJavaScript($t)", r"it\'s");
    check("#set($t = \"it's\")$util.escapeJavaScript($t).replaceAll(\"\\\\'\",\"'\")", "it's");
    check("$util.urlEncode('x=a+b c/é') $util.urlDecode('x%3Da+b%2B')", "x%3Da%2Bb+c%2F%C3%A9 x=a b+");
    check("$util.base64Encode('hé') $util.base64Decode('aMOp')", "aMOp hé");
    check("#set($o = $util.parseJson('{\"a\":{\"b\":[1,2]}}'))$o.a.b[1] $o.a.b.size()", "2 2");
    check(
        "$util.parseJson('\"text\"') $util.parseJson('1') $util.parseJson('true') $util.parseJson('[]')",
        "text 1 true []",
    );
    check("$util.nothing('x')", "$util.nothing('x')");
    assert!(render_with("$util.parseJson('{')", "").is_err());
    assert!(render_with("$util.base64Decode('*')", "").is_err());
}

#[test]
fn overrides_of_the_request() {
    let rendered = render_with(
        "#set($context.requestOverride.header.oHeader = \"1header\")\n\
         #set($context.requestOverride.header.multivalue = [\"1header\", \"2header\"])\n\
         #set($context.requestOverride.header['X-Dash'] = 5)\n\
         #set($context.requestOverride.path.proxy = $input.path('$.name'))\n\
         #set($context.requestOverride.querystring.query = \"query\")\n\
         $context.requestOverride.header.oHeader",
        super::BODY,
    )
    .expect("it renders");
    let several = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    assert_eq!(rendered.text, "1header");
    assert_eq!(
        rendered.request.header,
        [
            ("oHeader".to_owned(), several(&["1header"])),
            ("multivalue".to_owned(), several(&["1header", "2header"])),
            ("X-Dash".to_owned(), several(&["5"])),
        ]
    );
    assert_eq!(rendered.request.path, [("proxy".to_owned(), "Ann".to_owned())]);
    assert_eq!(rendered.request.querystring, [("query".to_owned(), several(&["query"]))]);
    assert_eq!(rendered.response, crate::ResponseOverrides::default());
}

#[test]
fn overrides_of_the_response() {
    for (status, expected) in [
        ("201", Some(201)),
        ("\"404\"", None),
        ("404 + 1", Some(405)),
        ("100", Some(100)),
        ("599", Some(599)),
        ("99", None),
        ("600", None),
        ("\"abc\"", None),
        ("2.5", None),
        ("-1", None),
        ("99999999", None),
    ] {
        let template = format!(
            "#set($context.responseOverride.status = {status})#set($context.responseOverride.header.X = 'y')"
        );
        let rendered = render_with(&template, "").expect("it renders");
        assert_eq!(rendered.response.status, expected, "{status}");
        assert_eq!(rendered.response.header, [("X".to_owned(), vec!["y".to_owned()])]);
    }
}

#[test]
fn the_rest_of_the_context_stays_as_it_is() {
    check("#set($context.stage = 'other')#set($context.identity.user = 'x')$context.stage", "beta");
}

/// AWS's developer guide, "Mapping template example: photos".
#[test]
fn the_photo_album_of_the_guide() {
    with_body(
        r#"#set($inputRoot = $input.path('$'))
{
  "photos": [
#foreach($elem in $inputRoot.photos.photo)
    {
      "id": "$elem.id",
      "owner": "$elem.owner",
      "title": "$elem.title",
      "ispublic": $elem.ispublic,
      "isfriend": $elem.isfriend
    }#if($foreach.hasNext),#end

#end
  ]
}"#,
        r#"{"photos":{"page":1,"photo":[
            {"id":"12345678901","owner":"23456789@A12","title":"Sample photo 1","ispublic":true,"isfriend":false},
            {"id":"23456789012","owner":"34567890@B23","title":"Sample photo 2","ispublic":true,"isfriend":false}]}}"#,
        r#"{
  "photos": [
    {
      "id": "12345678901",
      "owner": "23456789@A12",
      "title": "Sample photo 1",
      "ispublic": true,
      "isfriend": false
    },
    {
      "id": "23456789012",
      "owner": "34567890@B23",
      "title": "Sample photo 2",
      "ispublic": true,
      "isfriend": false
    }
  ]
}"#,
    );
}

/// The guide's pet store: a template that picks and renames.
#[test]
fn the_pet_store_of_the_guide() {
    with_body(
        r#"#set($inputRoot = $input.path('$'))
[
#foreach($elem in $inputRoot)
  {
    "description": "Item $elem.id is a $elem.type.",
    "askingPrice": $elem.price
  }#if($foreach.hasNext),#end

#end
]"#,
        r#"[{"id":1,"type":"dog","price":249.99},{"id":2,"type":"cat","price":124.99}]"#,
        r#"[
  {
    "description": "Item 1 is a dog.",
    "askingPrice": 249.99
  },
  {
    "description": "Item 2 is a cat.",
    "askingPrice": 124.99
  }
]"#,
    );
}

/// The console's "Method request passthrough".
#[test]
fn the_passthrough_template_of_the_console() {
    let template = r##"##  See the API Gateway developer guide
##  This template will pass through all parameters including path, querystring, header, stage variables, and context
#set($allParams = $input.params())
{
"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {
    "authorizer-principal-id" : "$context.authorizer.principalId",
    "http-method" : "$context.httpMethod",
    "stage" : "$context.stage",
    "user" : "$context.identity.user",
    "source-ip" : "$context.identity.sourceIp",
    "cognito-identity-id" : "$context.identity.cognitoIdentityId",
    "resource-path" : "$context.resourcePath"
    }
}
"##;
    let rendered = render_with(template, r#"{"a":1}"#).expect("it renders");
    let read: serde_json::Value = serde_json::from_str(&rendered.text).expect(&rendered.text);
    assert_eq!(
        read,
        serde_json::json!({
            "body-json": {"a": 1},
            "params": {
                "path": {"id": "12", "both": "from path"},
                "querystring": {"q": "x y", "both": "from query", "twice": "last"},
                "header": {"Accept": "text/plain", "both": "from header"},
            },
            "stage-variables": {"host": "one", "other": "two"},
            "context": {
                "authorizer-principal-id": "ann",
                "http-method": "POST",
                "stage": "beta",
                "user": "",
                "source-ip": "192.0.2.1",
                "cognito-identity-id": "",
                "resource-path": "/pets/{id}",
            },
        })
    );
}

/// A block that is defined once and shown for each map, as LocalStack's users write it.
#[test]
fn a_defined_block_shows_what_its_names_are_now() {
    check(
        "#define($loop){#foreach($k in $map.keySet())\"$k\":\"$map.get($k)\"#if($foreach.hasNext),#end#end}#end\
         #set($map = $input.params().path)$loop #set($map = $stageVariables)$loop",
        r#"{"id":"12","both":"from path"}{"host":"one","other":"two"}"#,
    );
}

#[test]
fn a_mock_chooses_its_status() {
    check(
        "#if($input.params('q') == 'x y'){\"statusCode\": 200}#{else}{\"statusCode\": 500}#end",
        "{\"statusCode\": 200}",
    );
}

/// What is written straight to the output is what a variable gets, and the other way round.
#[test]
fn short_ways_lead_where_long_ones_do() {
    for reference in [
        "$context.stage",
        "$context.requestTimeEpoch",
        "$context.identity.sourceIp",
        "$context.authorizer.claims.sub",
        "$util.escapeJavaScript(\"it's a/b\")",
        "$util.escapeJavaScript('plain')",
        "$util.escapeJavaScript(7)",
        "$util.escapeJavaScript($input.params('Accept'))",
    ] {
        let short = render_with(reference, BODY).expect(reference).text;
        let long = format!("#set($x = {reference})$x|#macro(f $a)$a#end#f({reference})|${{x}}");
        check(&long, &format!("{short}|{short}|{short}"));
    }
    check(
        "[$context.nothing][$context.identity.nothing][$context.nothing.more][$context.responseOverride.x]",
        "[][][][]",
    );
    check("$util.escapeJavaScript($no) $!util.escapeJavaScript($no)", "$util.escapeJavaScript($no) ");
    check("#set($context.requestOverride.header.a = 'b')$context.requestOverride.header.a", "b");
    check("#foreach($i in [3..1])$i$foreach.hasNext$foreach.getIndex() #end", "3true0 2true1 1false2 ");
    check("#set($s = 'a')#foreach($i in [$s..1])$i#end#foreach($i in [-1..-1])$i#end", "-1");
}
