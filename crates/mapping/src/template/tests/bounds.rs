//! Every bound, at it and beyond it.

use super::{Problem, RenderError, Template, check, problem, render_with};
use crate::parse::NESTING_MAX;
use crate::render::{DEPTH_MAX, FOREACH_MAX, MACRO_DEPTH_MAX, OUTPUT_BYTES_MAX, STEPS_MAX, TEXT_BYTES_MAX};
use crate::template::TEMPLATE_BYTES_MAX;
use crate::value::VALUES_MAX;

fn fails(template: &str, error: &RenderError) {
    let rendered = render_with(template, "{}");
    assert_eq!(rendered.as_ref().err(), Some(error), "{template}");
}

#[test]
fn a_template_has_300_kilobytes_at_most() {
    assert!(Template::parse(&"x".repeat(TEMPLATE_BYTES_MAX)).is_ok());
    assert_eq!(problem(&"x".repeat(TEMPLATE_BYTES_MAX + 1)), Problem::TooLong(TEMPLATE_BYTES_MAX));
}

#[test]
fn blocks_nest_to_a_depth() {
    let nested = |depth: usize| "#if(true)".repeat(depth) + "x" + &"#end".repeat(depth);
    // The template itself is a block, and the innermost condition an expression.
    check(&nested(NESTING_MAX - 1), "x");
    assert_eq!(problem(&nested(NESTING_MAX + 1)), Problem::TooDeep(NESTING_MAX));
}

#[test]
fn everything_that_nests_is_bounded() {
    let deep = TEMPLATE_BYTES_MAX / 20;
    for (open, close) in [("(", ")"), ("!", ""), ("[", "]"), ("{'a':", "}"), ("$a.b(", ")"), ("$a[", "]")] {
        let template = format!("#set($x = {}1{})", open.repeat(deep), close.repeat(deep));
        assert_eq!(problem(&template), Problem::TooDeep(NESTING_MAX), "{open}");
    }
    let chain = format!("#set($x = 1{})", " + 1".repeat(deep));
    assert!(matches!(problem(&chain), Problem::TooDeep(_)));
    for name in ["#macro(f)", "#define($x)", "#foreach($x in [1])", "#@f()", "#literal()"] {
        assert_eq!(problem(&name.repeat(deep / 2)), Problem::TooDeep(NESTING_MAX), "{name}");
    }
}

/// The deepest tree that parses: chains in parentheses in chains. Dropping and rendering it must not need more than a thread has.
#[test]
fn the_deepest_calculation_is_refused_when_it_is_rendered() {
    let depth = NESTING_MAX - 2;
    let mut calculation = "1".to_owned();
    for level in 0..depth {
        let chain = NESTING_MAX * 4 - NESTING_MAX + level.min(1);
        calculation = format!("({calculation}{})", " + 1".repeat(chain - 1));
    }
    fails(&format!("#set($x = {calculation})"), &RenderError::TooDeep(DEPTH_MAX));
}

#[test]
fn a_foreach_loop_ends_after_a_thousand_iterations() {
    check(&format!("#foreach($i in [1..{FOREACH_MAX}])#set($n = $i)#end$n"), "1000");
    check(&format!("#foreach($i in [1..{}])#set($n = $i)#end$n", FOREACH_MAX + 1), "1000");
}

#[test]
fn loops_in_loops_end_with_the_steps() {
    let template = "#set($l = [1..1000])#foreach($a in $l)#foreach($b in $l)#foreach($c in $l)#end#end#end";
    fails(template, &RenderError::TooManySteps(STEPS_MAX));
}

#[test]
fn macros_call_each_other_to_a_depth() {
    let calls =
        |depth: usize| format!("#macro(f $n)#if($n > 1)#set($m = $n - 1)#f($m)#end#end#f({depth})done");
    check(&calls(MACRO_DEPTH_MAX), "done");
    fails(&calls(MACRO_DEPTH_MAX + 1), &RenderError::MacroTooDeep(MACRO_DEPTH_MAX));
}

#[test]
fn a_macro_that_calls_itself_twice_ends() {
    fails("#macro(f)#f()#f()#end#f()", &RenderError::MacroTooDeep(MACRO_DEPTH_MAX));
}

#[test]
fn arguments_by_name_do_not_go_round() {
    let template = "#macro(f $x)#f(\"$x$x\")#end#macro(g $x)$x#end#f('a')";
    assert!(render_with(template, "").is_err());
    fails(
        &format!("#macro(f $x){}$x{}#end#f(1)", "#if(true)".repeat(30), "#end".repeat(30))
            .replace("$x#end", "#f(1)#end"),
        &RenderError::TooDeep(DEPTH_MAX),
    );
}

#[test]
fn output_and_texts_have_a_size() {
    let doubled = "#set($s = 'xxxxxxxxxxxxxxxx')#foreach($i in [1..20])#set($s = \"$s$s\")#end";
    assert!(matches!(
        render_with(doubled, "").err(),
        Some(RenderError::OutputTooLong(OUTPUT_BYTES_MAX) | RenderError::TextTooLong(TEXT_BYTES_MAX))
    ));
    let printed = "#set($s = 'xxxxxxxxxxxxxxxx')#foreach($i in [1..16])#set($s = $s.concat($s))#end$s$s$s$s$s$s$s$s$s$s";
    fails(&format!("{printed}$s"), &RenderError::OutputTooLong(OUTPUT_BYTES_MAX));
    assert_eq!(render_with(printed, "").map(|made| made.text.len()), Ok(OUTPUT_BYTES_MAX));
    fails("#set($s = 'xx')$s.repeat(5242881)", &RenderError::TextTooLong(TEXT_BYTES_MAX));
}

#[test]
fn values_are_counted() {
    fails("#set($l = [1..6000000])", &RenderError::TooManyValues(VALUES_MAX));
    fails("#set($l = [-9223372036854775807..9223372036854775807])", &RenderError::TooManyValues(VALUES_MAX));
    let grown = "#set($l = [1])#foreach($i in [1..30])#set($x = $l.addAll($l))#end";
    fails(grown, &RenderError::TooManyValues(VALUES_MAX));
}

#[test]
fn values_nest_as_deep_as_they_like_and_show_to_a_depth() {
    let deep = "#set($a = [])#foreach($i in [1..1000])#foreach($j in [1..200])#set($a = [$a])#end#end";
    check(&format!("{deep}$a.size()"), "1");
    fails(&format!("{deep}$a"), &RenderError::TooDeep(DEPTH_MAX));
    fails(&format!("{deep}#if($a == [$a])x#end"), &RenderError::TooDeep(DEPTH_MAX));
}

#[test]
fn a_list_may_hold_itself() {
    fails("#set($a = [])#set($x = $a.add($a))$a", &RenderError::TooDeep(DEPTH_MAX));
    fails("#set($m = {})#set($m.m = $m)$m", &RenderError::TooDeep(DEPTH_MAX));
    fails(
        "#set($r = $input.path('$'))#set($r.r = $r)$input.json('$')",
        &RenderError::TooDeep(crate::json::DEPTH_MAX),
    );
    fails(
        "#set($r = $input.path('$'))#set($r.r = $r)$input.path('$..x')",
        &RenderError::TooManyValues(VALUES_MAX),
    );
}

#[test]
fn calculations_have_64_bits() {
    fails("#set($a = 9223372036854775807 + 1)", &RenderError::NumberTooBig);
    assert_eq!(problem("#set($a = 9223372036854775808)"), Problem::NumberTooBig);
    check("#set($a = -9223372036854775808)$a", "-9223372036854775808");
}

#[test]
fn patterns_are_bounded() {
    let long = "a".repeat(crate::pattern::PATTERN_BYTES_MAX + 1);
    assert!(matches!(
        render_with(&format!("#set($s = 'a')$s.matches('{long}')"), "").err(),
        Some(RenderError::Pattern(_))
    ));
    assert!(matches!(
        render_with("#set($s = 'a')$s.matches('(?<=a)b')", "").err(),
        Some(RenderError::Pattern(_))
    ));
    assert!(matches!(
        render_with("#set($s = 'a')$s.matches('((a{1000}){1000}){1000}')", "").err(),
        Some(RenderError::Pattern(_))
    ));
}
