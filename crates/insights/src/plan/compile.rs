//! From commands to steps.

use std::collections::HashSet;

use super::{Diff, Extract, Options, Pattern, Query, ROWS_MAX, RowsPlan, Sink, Step};
use crate::baseline::Baseline;
use crate::error::Flaw;
use crate::field::Source;
use crate::json::inner_name;
use crate::matcher::{self, Glob, PatternFlaw};
use crate::node::{Node, Slots};
use crate::syntax::{Column, Command, CommandKind, Expression, ExpressionKind, ParseHow};

/// Slots of one query: fields, aliases, aggregates.
const SLOTS_MAX: usize = 1000;

/// What is known while commands are read one after the other.
pub(super) struct Compiler<'t> {
    pub text: &'t str,
    pub slots: Slots,
    /// Names that can be used, the newest last, and their slots.
    pub names: Vec<(String, usize)>,
    /// Aliases of parsed JSON, whose members can be named.
    pub parsed: HashSet<usize>,
    /// Behind `stats` and `pattern`: only what they made is there.
    pub is_closed: bool,
    pub steps: Vec<Step>,
    fields: Vec<(String, usize)>,
    display: Option<Vec<(String, usize)>>,
}

pub(super) fn compile(text: &str, commands: &[Command], options: Options) -> Result<Query, Flaw> {
    let mut compiler = Compiler {
        text,
        slots: Slots::default(),
        names: Vec::new(),
        parsed: HashSet::new(),
        is_closed: false,
        steps: Vec::new(),
        fields: Vec::new(),
        display: None,
    };
    let mut after_dedup = false;
    for command in commands {
        let is_limit = matches!(command.kind, CommandKind::Limit { .. });
        if after_dedup && !is_limit {
            // Nothing but a limit may follow `dedup`. Source: AWS, dedup; its words were seen on AWS.
            let word = text[command.at.clone()].split_whitespace().next().unwrap_or_default().len();
            return Err(Flaw::Symbol(command.at.start..command.at.start + word));
        }
        after_dedup |= matches!(command.kind, CommandKind::Dedup(_));
        compiler.command(command)?;
    }
    compiler.finish(options)
}

impl Compiler<'_> {
    fn command(&mut self, command: &Command) -> Result<(), Flaw> {
        match &command.kind {
            CommandKind::Fields(columns) => {
                let shown = self.columns(columns)?;
                self.fields.extend(shown);
            }
            CommandKind::Display(columns) | CommandKind::Unmask(columns) => {
                self.display = Some(self.columns(columns)?);
            }
            CommandKind::Filter(condition) => {
                let node = self.node(condition)?;
                self.steps.push(Step::Filter(node));
            }
            CommandKind::Parse { from, how, names } => self.parse(command, from, how, names)?,
            CommandKind::Stats { columns, by } => {
                self.fields = self.stats(columns, by)?;
                self.display = None;
            }
            CommandKind::Sort(keys) => {
                let keys = keys.iter().map(|(key, order)| Ok((self.node(key)?, *order)));
                let keys = keys.collect::<Result<_, Flaw>>()?;
                self.steps.push(Step::Sort(keys));
            }
            CommandKind::Limit { count, is_any } => {
                if *count > ROWS_MAX {
                    let message = format!("a limit is at most {ROWS_MAX}");
                    return Err(Flaw::message(command.at.clone(), message));
                }
                self.steps.push(Step::Limit(*count, *is_any));
            }
            CommandKind::Dedup(keys) => {
                let keys = keys.iter().map(|key| self.node(key)).collect::<Result<_, Flaw>>()?;
                self.steps.push(Step::Dedup(keys));
            }
            CommandKind::Pattern(text) => self.pattern(text)?,
            CommandKind::Diff(baseline) => self.diff(*baseline, command)?,
        }
        Ok(())
    }

    /// Columns of `fields` and `display`. Members of an alias that is made here can't be named yet (seen on AWS).
    fn columns(&mut self, columns: &[Column]) -> Result<Vec<(String, usize)>, Flaw> {
        let mut parsed_here = Vec::new();
        let mut shown = Vec::new();
        for column in columns {
            let node = self.node(&column.expression)?;
            let slot = match node {
                Node::Slot(slot) if !column.has_alias => slot,
                node => {
                    let slot = self.slot(Source::Computed, &column.expression)?;
                    if matches!(node, Node::Call(crate::function::Function::JsonParse, _)) {
                        parsed_here.push(slot);
                    }
                    self.steps.push(Step::Assign(slot, node));
                    self.names.push((column.name.clone(), slot));
                    slot
                }
            };
            shown.push((column.name.clone(), slot));
        }
        self.parsed.extend(parsed_here);
        Ok(shown)
    }

    fn parse(
        &mut self,
        command: &Command,
        from: &Expression,
        how: &ParseHow,
        names: &[String],
    ) -> Result<(), Flaw> {
        let node = self.node(from)?;
        let extract = match how {
            ParseHow::Glob(pattern) => {
                let glob = Glob::new(pattern);
                if glob.stars() != names.len() || names.is_empty() {
                    let message = format!(
                        "the number of wildcards in the pattern ({}) is not the number of fields ({})",
                        glob.stars(),
                        names.len()
                    );
                    return Err(Flaw::message(command.at.clone(), message));
                }
                let slots = names.iter().map(|name| self.alias(name, from)).collect::<Result<_, Flaw>>()?;
                Extract::Glob(glob, slots)
            }
            ParseHow::Regex(pattern) => {
                let regex = matcher::regex(pattern).map_err(|flaw| self.pattern_flaw(flaw, command))?;
                let mut groups: Vec<(usize, String)> = regex
                    .capture_names()
                    .enumerate()
                    .filter_map(|(number, name)| Some((number, name?.to_owned())))
                    .collect();
                if !names.is_empty() {
                    groups = names.iter().enumerate().map(|(at, name)| (at + 1, name.clone())).collect();
                }
                if groups.is_empty() || groups.iter().any(|(number, _)| *number >= regex.captures_len()) {
                    let message = "the regular expression has no group for a field";
                    return Err(Flaw::message(command.at.clone(), message));
                }
                let slots = groups.into_iter().map(|(number, name)| Ok((number, self.alias(&name, from)?)));
                Extract::Regex(regex, slots.collect::<Result<_, Flaw>>()?)
            }
        };
        self.steps.push(Step::Parse(node, extract));
        Ok(())
    }

    pub fn pattern_flaw(&self, flaw: PatternFlaw, command: &Command) -> Flaw {
        match flaw {
            PatternFlaw::Unsupported(what) => Flaw::Unsupported(what.to_owned()),
            PatternFlaw::Malformed(message) => Flaw::message(command.at.clone(), message),
        }
    }

    /// A field that `parse` makes. It is shown.
    fn alias(&mut self, name: &str, at: &Expression) -> Result<usize, Flaw> {
        let slot = self.slot(Source::Computed, at)?;
        self.names.push((name.to_owned(), slot));
        self.fields.push((name.to_owned(), slot));
        Ok(slot)
    }

    fn pattern(&mut self, text: &Expression) -> Result<(), Flaw> {
        let node = self.node(text)?;
        let mut slot = || self.slot(Source::Computed, text);
        let (pattern, ratio, count, severity) = (slot()?, slot()?, slot()?, slot()?);
        self.steps.push(Step::Pattern(Pattern { text: node, pattern, ratio, count, severity, diff: None }));
        let columns =
            [("@pattern", pattern), ("@ratio", ratio), ("@sampleCount", count), ("@severityLabel", severity)];
        self.names = columns.map(|(name, slot)| (name.to_owned(), slot)).to_vec();
        self.fields.clone_from(&self.names);
        self.display = None;
        self.is_closed = true;
        Ok(())
    }

    /// Compares patterns: those that `pattern` has made, or else of whole messages.
    fn diff(&mut self, baseline: Baseline, command: &Command) -> Result<(), Flaw> {
        // An order says nothing of patterns.
        self.steps.retain(|step| !matches!(step, Step::Sort(_)) || self.is_closed);
        let message =
            Expression { kind: ExpressionKind::Field("@message".to_owned()), at: command.at.clone() };
        if !self.is_closed {
            self.pattern(&message)?;
        }
        let (more, words) = (self.slot(Source::Computed, &message)?, self.slot(Source::Computed, &message)?);
        let is_free = |step: &Step| matches!(step, Step::Assign(..) | Step::Filter(_) | Step::Parse(..));
        match self.steps.split_last_mut() {
            Some((Step::Pattern(pattern), before))
                if pattern.diff.is_none() && before.iter().all(is_free) =>
            {
                pattern.diff = Some(Diff { baseline, more, words });
            }
            // What is counted, cut or chosen before would have to be so in each of the two times.
            _ => {
                return Err(Flaw::Unsupported(
                    "The query command diff after others than fields, filter, parse, sort and pattern"
                        .to_owned(),
                ));
            }
        }
        for (name, slot) in [("@differenceEventCount", more), ("@differenceDescription", words)] {
            self.names.push((name.to_owned(), slot));
        }
        self.fields.clone_from(&self.names);
        Ok(())
    }

    /// The slot of a field that nobody has computed.
    pub fn source_slot(&mut self, name: &str, at: &Expression) -> Result<usize, Flaw> {
        let source = Source::of(name);
        let slot = self.slot(source, at)?;
        if source == Source::Json {
            self.slots.wants.push((inner_name(name).to_owned(), slot));
        }
        self.names.push((name.to_owned(), slot));
        Ok(slot)
    }

    pub fn slot(&mut self, source: Source, at: &Expression) -> Result<usize, Flaw> {
        if self.slots.sources.len() == SLOTS_MAX {
            return Err(Flaw::message(at.at.clone(), format!("a query has at most {SLOTS_MAX} fields")));
        }
        self.slots.sources.push(source);
        Ok(self.slots.sources.len() - 1)
    }

    fn finish(mut self, mut options: Options) -> Result<Query, Flaw> {
        let mut shown = self.display.take().unwrap_or_else(|| std::mem::take(&mut self.fields));
        if shown.is_empty() {
            let whole = Expression { kind: ExpressionKind::Star, at: 0..0 };
            for name in ["@timestamp", "@message"] {
                shown.push((name.to_owned(), self.source_slot(name, &whole)?));
            }
        }
        options.limit = options.limit.clamp(1, ROWS_MAX);
        let any = self.steps.iter().any(|step| matches!(step, Step::Limit(_, true)));
        let (head, sink, tail) = split(self.steps, options.limit);
        let mut kept: Vec<usize> = shown.iter().map(|(_, slot)| *slot).collect();
        tail.iter().for_each(|step| step.visit(&mut |slot| kept.push(slot)));
        kept.sort_unstable();
        kept.dedup();
        let (needles, literals) = super::needles::of(&head, &self.slots);
        Ok(Query {
            any: any && matches!(&sink, Sink::Rows(plan) if plan.keys.is_empty() && plan.dedup.is_none()),
            slots: self.slots,
            head,
            sink,
            tail,
            shown,
            kept,
            are_events: !self.is_closed,
            options,
            hasher: Default::default(),
            needles,
            literals,
        })
    }
}

/// Cuts a query in two: what each event goes through by itself, and what needs all of them; between both lies the sink.
fn split(steps: Vec<Step>, limit: usize) -> (Vec<Step>, Sink, Vec<Step>) {
    let is_free = |step: &Step| matches!(step, Step::Assign(..) | Step::Filter(_) | Step::Parse(..));
    let mut steps = steps.into_iter().peekable();
    let mut head = Vec::new();
    while let Some(step) = steps.next_if(is_free) {
        head.push(step);
    }
    let mut plan = RowsPlan { keys: Vec::new(), dedup: None, keep: None };
    match steps.next_if(|step| matches!(step, Step::Stats(_) | Step::Pattern(_))) {
        Some(Step::Stats(stats)) => return (head, Sink::Stats(stats), steps.collect()),
        Some(Step::Pattern(pattern)) => return (head, Sink::Pattern(pattern), steps.collect()),
        _ => {}
    }
    if let Some(Step::Sort(keys)) = steps.next_if(|step| matches!(step, Step::Sort(_))) {
        plan.keys = keys;
    }
    if let Some(Step::Dedup(keys)) = steps.next_if(|step| matches!(step, Step::Dedup(_))) {
        plan.dedup = Some(keys);
    }
    let rest: Vec<Step> = steps.collect();
    // Steps that neither drop rows nor look at several may be done after the cut as well as before.
    let cut = rest.iter().find(|step| !matches!(step, Step::Assign(..) | Step::Parse(..)));
    plan.keep = match cut {
        None => Some(limit),
        Some(Step::Limit(count, _)) => Some((*count).min(ROWS_MAX)),
        Some(_) => None,
    };
    (head, Sink::Rows(plan), rest)
}

impl Step {
    /// The slots that it reads.
    fn visit(&self, slot_read: &mut dyn FnMut(usize)) {
        match self {
            Step::Assign(_, node) | Step::Filter(node) | Step::Parse(node, _) => node.visit(slot_read),
            Step::Stats(stats) => {
                stats.keys.iter().for_each(|(node, _)| node.visit(slot_read));
                let values = stats.accumulators.iter().filter_map(|(_, node, _)| node.as_ref());
                values.for_each(|node| node.visit(slot_read));
            }
            Step::Sort(keys) => keys.iter().for_each(|(node, _)| node.visit(slot_read)),
            Step::Dedup(nodes) => nodes.iter().for_each(|node| node.visit(slot_read)),
            Step::Pattern(pattern) => pattern.text.visit(slot_read),
            Step::Limit(..) => {}
        }
    }
}
