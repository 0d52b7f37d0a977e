use super::{Class, Node};

/// Steps of one program; `(…){1,61}` is written out.
const STEPS_MAX: usize = 20_000;

/// A pattern as steps that are followed side by side.
#[derive(Debug)]
pub struct Program {
    steps: Vec<Step>,
    /// What look-ahead asks.
    asked: Vec<Program>,
}

#[derive(Debug)]
enum Step {
    Class(Class),
    /// Go on at both.
    Split(usize, usize),
    Jump(usize),
    Start,
    End,
    Ahead {
        program: usize,
        negated: bool,
    },
    Behind {
        class: Class,
        negated: bool,
    },
    Done,
}

/// Steps that are alive at one place of the text, each once.
struct Alive {
    list: Vec<usize>,
    /// By step: the last round in which it was added.
    round: Vec<usize>,
}

impl Program {
    /// `None` if the pattern is too large.
    pub fn compile(node: &Node) -> Option<Program> {
        let mut program = Program { steps: Vec::new(), asked: Vec::new() };
        program.add(node)?;
        program.steps.push(Step::Done);
        Some(program)
    }

    fn push(&mut self, step: Step) -> Option<usize> {
        self.steps.push(step);
        (self.steps.len() < STEPS_MAX).then_some(self.steps.len() - 1)
    }

    fn add(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Class(class) => drop(self.push(Step::Class(class.clone()))?),
            Node::Start => drop(self.push(Step::Start)?),
            Node::End => drop(self.push(Step::End)?),
            Node::Behind { class, negated } => {
                self.push(Step::Behind { class: class.clone(), negated: *negated })?;
            }
            Node::Ahead { node, negated } => {
                let asked = Program::compile(node)?;
                self.asked.push(asked);
                self.push(Step::Ahead { program: self.asked.len() - 1, negated: *negated })?;
            }
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Either(nodes) => self.add_either(nodes)?,
            Node::Repeat { node, min, max } => self.add_repeat(node, *min, *max)?,
        }
        Some(())
    }

    fn add_either(&mut self, nodes: &[Node]) -> Option<()> {
        let (last, firsts) = nodes.split_last()?;
        let mut ends = Vec::new();
        for node in firsts {
            let split = self.push(Step::Split(0, 0))?;
            self.add(node)?;
            ends.push(self.push(Step::Jump(0))?);
            self.steps[split] = Step::Split(split + 1, self.steps.len());
        }
        self.add(last)?;
        for end in ends {
            self.steps[end] = Step::Jump(self.steps.len());
        }
        Some(())
    }

    fn add_repeat(&mut self, node: &Node, min: usize, max: Option<usize>) -> Option<()> {
        for _ in 0..min {
            self.add(node)?;
        }
        match max {
            None => {
                let split = self.push(Step::Split(0, 0))?;
                self.add(node)?;
                self.push(Step::Jump(split))?;
                self.steps[split] = Step::Split(split + 1, self.steps.len());
            }
            Some(max) => {
                let mut splits = Vec::new();
                for _ in min..max {
                    splits.push(self.push(Step::Split(0, 0))?);
                    self.add(node)?;
                }
                for split in splits {
                    self.steps[split] = Step::Split(split + 1, self.steps.len());
                }
            }
        }
        Some(())
    }

    /// Whether the whole text is described.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.run(&text, 0, true)
    }

    /// Follows all alternatives from a place on; to the text's end, or until any is done.
    fn run(&self, text: &[char], from: usize, whole: bool) -> bool {
        let fresh = || Alive { list: Vec::new(), round: vec![usize::MAX; self.steps.len()] };
        let (mut now, mut next) = (fresh(), fresh());
        self.enter(0, text, from, &mut now);
        for at in from..=text.len() {
            let mut done = false;
            for &step in &now.list {
                match &self.steps[step] {
                    Step::Done => done = true,
                    Step::Class(class) if at < text.len() && class.holds(text[at]) => {
                        self.enter(step + 1, text, at + 1, &mut next);
                    }
                    _ => {}
                }
            }
            if done && (!whole || at == text.len()) {
                return true;
            }
            if next.list.is_empty() {
                return false;
            }
            std::mem::swap(&mut now, &mut next);
            next.list.clear();
        }
        false
    }

    /// Adds a step and all that it leads to without a character.
    fn enter(&self, step: usize, text: &[char], at: usize, alive: &mut Alive) {
        let mut open = vec![step];
        while let Some(step) = open.pop() {
            if std::mem::replace(&mut alive.round[step], at) == at {
                continue;
            }
            let goes_on = match &self.steps[step] {
                Step::Split(one, other) => {
                    open.extend([*other, *one]);
                    continue;
                }
                Step::Jump(to) => {
                    open.push(*to);
                    continue;
                }
                Step::Class(_) | Step::Done => {
                    alive.list.push(step);
                    continue;
                }
                Step::Start => at == 0,
                Step::End => at == text.len(),
                Step::Behind { class, negated } => (at > 0 && class.holds(text[at - 1])) != *negated,
                Step::Ahead { program, negated } => self.asked[*program].run(text, at, false) != *negated,
            };
            if goes_on {
                open.push(step + 1);
            }
        }
    }
}
