//! What a template asks its exchange for, and what it makes of what it got.

use std::borrow::Cow;
use std::cell::RefCell;

use super::{BODY, Exchange, Template, check};
use crate::members::{Letters, Member, Members};

/// Notes each name that it is asked for; `*` for all names.
#[derive(Default)]
struct Asked(RefCell<Vec<String>>);

impl Members for Asked {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        self.0.borrow_mut().push(name.to_owned());
        Some(Member::Text(Cow::Owned(format!("<{name}>"))))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.0.borrow_mut().push("*".to_owned());
        vec!["one".into(), "two".into()]
    }

    fn values(&self, _: &str, _: Letters) -> Vec<Cow<'_, str>> {
        Vec::new()
    }
}

fn asked(template: &str) -> (String, [Vec<String>; 3]) {
    let (context, header, variables) = (Asked::default(), Asked::default(), Asked::default());
    let exchange = Exchange {
        body: BODY,
        path: &[("id", "12")],
        querystring: &[("q", "1")],
        header: &header,
        context: &context,
        stage_variables: &variables,
    };
    let rendered = Template::parse(template).expect(template).render(&exchange).expect(template);
    (rendered.text, [context.0, header.0, variables.0].map(RefCell::into_inner))
}

#[test]
fn only_what_is_named_is_asked_for() {
    for (template, text, expected) in [
        ("$context.stage", "<stage>", [&["stage"][..], &[], &[]]),
        ("$input.params('X-A')", "<X-A>", [&[], &["X-A"], &[]]),
        ("$input.params('id')$input.params().path.id", "1212", [&[], &[], &[]]),
        ("$input.params().header.a", "<a>", [&[], &["a"], &[]]),
        ("$input.params().get('header').get('a')", "<a>", [&[], &["a"], &[]]),
        ("$input.params()['header']['a']", "<a>", [&[], &["a"], &[]]),
        ("$stageVariables.v${stageVariables['w']}", "<v><w>", [&[], &[], &["v", "w"]]),
        ("$input.params().header.keySet()", "[one, two]", [&[], &["*", "one", "two"], &[]]),
        ("plain", "plain", [&[], &[], &[]]),
    ] {
        let (rendered, names) = asked(template);
        assert_eq!(rendered, text, "{template}");
        assert_eq!(names.each_ref().map(Vec::as_slice), expected.map(<[&str]>::to_vec), "{template}");
    }
}

/// However it is reached, it is one map, which keeps what is put into it.
#[test]
fn parameters_and_variables_are_maps_once_somebody_keeps_them() {
    check("#set($h = $input.params().header)#set($h.new = 'x')$input.params().header.new", "x");
    check("#set($input.params().path.id = 'y')$input.params().path.id $input.params('id')", "y 12");
    check("#set($all = $input.params())$all.querystring.q $all.header.Accept", "x y text/plain");
    check("#set($v = $stageVariables)#set($v.new = 'z')$stageVariables.new $stageVariables.host", "z one");
    check("#foreach($k in $input.params().keySet())$k #end", "path querystring header ");
    check("#set($l = [$stageVariables])$l", "[{host=one, other=two}]");
    check("#foreach($stageVariables in [1])$stageVariables#end $stageVariables.host", "1 one");
}

/// A text within a text is cut off what was rendered before it.
#[test]
fn texts_in_texts_keep_what_stands_before_them() {
    check("a#set($x = \"b${context.stage}\")c$x#define($d)<$x>#{end}e$d", "acbbetae<bbeta>");
    check("#define($d)2#set($y = \"3$context.stage\")$y#end#set($x = \"1${d}4\")$x", "123beta4");
}
