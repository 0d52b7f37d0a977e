//! What extensions may ask for, and when. Decides only; nothing here waits or writes.
//!
//! States, names and refusals are those of AWS's runtime interface emulator, with one difference: a call of `next` whose
//! connection broke gives up its place, so that the extension may call again and no event is lost.

use thiserror::Error;

use super::EXTENSIONS_MAX;

/// Longest name of an internal extension, bytes: as long as a file's may be, which is that of an external one.
pub const NAME_BYTES_MAX: usize = 255;

/// Where one extension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its process was started and has said nothing yet.
    Started,
    /// It registered, and hasn't asked for an event.
    Registered,
    /// It waits for an event.
    Ready,
    /// It has one, or is about to get it.
    Running,
    /// It said that it can't start.
    InitError,
    /// It said that it has to end.
    ExitError,
    /// Its process couldn't be started.
    LaunchError,
    /// Its process has ended.
    Exited,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Started => "Started",
            Phase::Registered => "Registered",
            Phase::Ready => "Ready",
            Phase::Running => "Running",
            Phase::InitError => "InitError",
            Phase::ExitError => "ExitError",
            Phase::LaunchError => "LaunchError",
            Phase::Exited => "Exited",
        }
    }
}

/// What extensions are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    Invoke,
    Shutdown,
}

/// A call that is refused; always with status 403.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    #[error("Missing Lambda-Extension-Identifier header")]
    NoIdentifier,
    #[error("Invalid Lambda-Extension-Identifier")]
    BadIdentifier,
    #[error("Unknown extension {0}")]
    UnknownIdentifier(String),
    #[error("{0}")]
    Name(&'static str),
    #[error("{event}: {why}")]
    Event { event: String, why: &'static str },
    #[error(
        "State transition from {from} to {to} failed for extension {who}. Error: State transition is not allowed"
    )]
    Transition { from: &'static str, to: &'static str, who: String },
    #[error("Extension with this name already registered")]
    NameTaken,
    #[error("Extension registration closed already")]
    Closed,
    #[error("Extension limit ({EXTENSIONS_MAX}) reached")]
    TooMany,
    #[error("{0} not found")]
    NoHeader(&'static str),
    #[error("{0}")]
    Format(String),
}

impl Rejection {
    /// `errorType` of the answer.
    pub fn error_type(&self) -> &'static str {
        match self {
            Rejection::NoIdentifier => "Extension.MissingExtensionIdentifier",
            Rejection::BadIdentifier => "Extension.InvalidExtensionIdentifier",
            Rejection::UnknownIdentifier(_) => "Extension.UnknownExtensionIdentifier",
            Rejection::Name(_) => "Extension.InvalidExtensionName",
            Rejection::Event { .. } => "Extension.InvalidEventType",
            Rejection::Transition { .. } | Rejection::NameTaken => "Extension.InvalidExtensionState",
            Rejection::Closed => "Extension.RegistrationClosed",
            Rejection::TooMany => "Extension.TooManyExtensions",
            Rejection::NoHeader(_) => "Extension.MissingHeader",
            Rejection::Format(_) => "InvalidRequestFormat",
        }
    }
}

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// An external one's is its file's.
    pub name: String,
    /// By which it is known in calls; empty until it registers.
    id: String,
    /// A process of its own, not a part of the runtime's.
    pub is_external: bool,
    pub phase: Phase,
    pub takes_invoke: bool,
    pub takes_shutdown: bool,
    /// What it is to be told next.
    owed: Option<Happening>,
    /// A call of its waits.
    is_waiting: bool,
    /// It was told of an invocation and hasn't asked for more since.
    is_busy: bool,
}

impl Extension {
    fn new(name: String, is_external: bool) -> Extension {
        Extension {
            name,
            id: String::new(),
            is_external,
            phase: Phase::Started,
            takes_invoke: false,
            takes_shutdown: false,
            owed: None,
            is_waiting: false,
            is_busy: false,
        }
    }

    /// The events it takes, by their names.
    pub fn events(&self) -> impl Iterator<Item = &'static str> {
        let taken = [(self.takes_invoke, "INVOKE"), (self.takes_shutdown, "SHUTDOWN")];
        taken.into_iter().filter_map(|(taken, name)| taken.then_some(name))
    }

    fn forbidden(&self, to: Phase, who: &str) -> Rejection {
        Rejection::Transition { from: self.phase.as_str(), to: to.as_str(), who: who.to_owned() }
    }

    fn release(&mut self, happening: Happening) {
        self.owed = Some(happening);
        if self.phase == Phase::Ready {
            self.phase = Phase::Running;
        }
    }
}

/// All extensions of one environment.
#[derive(Debug)]
pub struct Machine {
    /// The external ones first, in the order in which they are started.
    all: Vec<Extension>,
    is_closed: bool,
    is_shutting_down: bool,
}

impl Machine {
    /// With the names of the external ones.
    pub fn new(external: impl IntoIterator<Item = String>) -> Machine {
        let all = external.into_iter().map(|name| Extension::new(name, true)).collect();
        Machine { all, is_closed: false, is_shutting_down: false }
    }

    pub fn all(&self) -> &[Extension] {
        &self.all
    }

    /// `POST /extension/register`. `id` is the one that it gets.
    pub fn register(&mut self, name: &str, events: &[String], id: String) -> Result<(), Rejection> {
        if name.is_empty() {
            return Err(Rejection::Name("Empty extension name"));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(Rejection::Name("Extension name is too long"));
        }
        let place = self.all.iter().position(|extension| extension.is_external && extension.name == name);
        let (mut takes_invoke, mut takes_shutdown) = (false, false);
        for event in events {
            match event.as_str() {
                "INVOKE" => takes_invoke = true,
                "SHUTDOWN" if place.is_some() => takes_shutdown = true,
                "SHUTDOWN" => {
                    let why = "ShutdownEventNotSupportedForInternalExtension";
                    return Err(Rejection::Event { event: event.clone(), why });
                }
                _ => {
                    let event = event.chars().take(NAME_BYTES_MAX).collect();
                    return Err(Rejection::Event { event, why: "ErrorInvalidEventType" });
                }
            }
        }
        let extension = match place {
            Some(place) => &mut self.all[place],
            None if self.is_closed => return Err(Rejection::Closed),
            None if self.all.iter().any(|other| other.name == name) => return Err(Rejection::NameTaken),
            None if self.all.len() >= EXTENSIONS_MAX => return Err(Rejection::TooMany),
            None => {
                self.all.push(Extension::new(name.to_owned(), false));
                self.all.last_mut().expect("one was pushed")
            }
        };
        if extension.phase != Phase::Started {
            return Err(extension.forbidden(Phase::Registered, name));
        }
        extension.phase = Phase::Registered;
        (extension.id, extension.takes_invoke, extension.takes_shutdown) = (id, takes_invoke, takes_shutdown);
        Ok(())
    }

    /// The runtime has started: nobody can register any more.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Which extension calls; its place among all.
    pub fn find(&self, id: &str) -> Result<usize, Rejection> {
        let unknown = || Rejection::UnknownIdentifier(id.to_owned());
        let place = self.all.iter().position(|extension| !id.is_empty() && extension.id == id);
        place.ok_or_else(unknown)
    }

    /// `GET /extension/event/next`: from now on it waits, see [`Machine::take`].
    pub fn next(&mut self, place: usize) -> Result<(), Rejection> {
        let extension = &mut self.all[place];
        match extension.phase {
            Phase::Registered | Phase::Running => extension.phase = Phase::Ready,
            // The call before has broken off.
            Phase::Ready if !extension.is_waiting => {}
            _ => return Err(extension.forbidden(Phase::Ready, &extension.id)),
        }
        extension.is_waiting = true;
        if let Some(owed) = extension.owed {
            extension.phase = Phase::Running;
            extension.is_busy = owed == Happening::Invoke;
        } else {
            extension.is_busy = false;
        }
        Ok(())
    }

    /// What a call that waits is to be told, if anything.
    pub fn take(&mut self, place: usize) -> Option<Happening> {
        let extension = &mut self.all[place];
        if extension.phase != Phase::Running || !extension.is_waiting {
            return None;
        }
        let owed = extension.owed.take()?;
        extension.is_waiting = false;
        Some(owed)
    }

    /// A call that waited has broken off.
    pub fn give_up(&mut self, place: usize) {
        self.all[place].is_waiting = false;
    }

    /// `POST /extension/init/error`.
    pub fn init_error(&mut self, place: usize) -> Result<(), Rejection> {
        let extension = &mut self.all[place];
        if !matches!(extension.phase, Phase::Registered | Phase::InitError) {
            return Err(extension.forbidden(Phase::InitError, &extension.id));
        }
        extension.phase = Phase::InitError;
        Ok(())
    }

    /// `POST /extension/exit/error`.
    pub fn exit_error(&mut self, place: usize) -> Result<(), Rejection> {
        let extension = &mut self.all[place];
        let may = [Phase::Registered, Phase::Ready, Phase::Running, Phase::ExitError];
        if !may.contains(&extension.phase) {
            return Err(extension.forbidden(Phase::ExitError, &extension.id));
        }
        extension.phase = Phase::ExitError;
        Ok(())
    }

    /// The process of the external extension at this place has ended, or could not be started. Answers whether that was to be
    /// expected.
    pub fn ended(&mut self, place: usize, was_started: bool) -> bool {
        if let Some(extension) = self.all.get_mut(place).filter(|extension| extension.is_external) {
            extension.phase = if was_started { Phase::Exited } else { Phase::LaunchError };
        }
        self.is_shutting_down
    }

    /// Has every external extension registered? Only then the runtime is started.
    pub fn have_registered(&self) -> bool {
        self.all.iter().all(|extension| extension.phase != Phase::Started)
    }

    /// Has every extension asked for an event and none in its hands? Then the start is over, or an invocation.
    pub fn are_free(&self) -> bool {
        self.all.iter().all(|extension| match extension.phase {
            Phase::Ready => true,
            Phase::Running => !extension.is_busy,
            _ => false,
        })
    }

    /// Tells those that take it of an invocation. Answers whether any does.
    pub fn invoke(&mut self) -> bool {
        let mut any = false;
        for extension in &mut self.all {
            if extension.takes_invoke && extension.phase == Phase::Ready {
                extension.release(Happening::Invoke);
                extension.is_busy = true;
                any = true;
            }
        }
        any
    }

    /// Tells those that take it of the end.
    pub fn shut_down(&mut self) {
        self.is_shutting_down = true;
        let takers = self.all.iter_mut().filter(|extension| extension.takes_shutdown);
        takers.for_each(|extension| extension.release(Happening::Shutdown));
    }

    /// Nobody is left who might do something with the time before the end.
    pub fn are_gone(&self) -> bool {
        let gone = [Phase::Exited, Phase::LaunchError];
        !self.all.iter().any(|extension| extension.takes_shutdown && !gone.contains(&extension.phase))
    }

    pub fn has_external(&self) -> bool {
        self.all.first().is_some_and(|extension| extension.is_external)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn two() -> Machine {
        let mut machine = Machine::new(["a".to_owned(), "b".to_owned()]);
        machine.register("a", &events(&["INVOKE", "SHUTDOWN"]), "id-a".to_owned()).unwrap();
        assert!(!machine.have_registered());
        machine.register("b", &events(&[]), "id-b".to_owned()).unwrap();
        machine
    }

    fn error_type(result: Result<(), Rejection>) -> &'static str {
        result.unwrap_err().error_type()
    }

    #[test]
    fn the_start_is_over_when_all_have_asked() {
        let mut machine = two();
        assert!(machine.have_registered() && !machine.are_free());
        assert_eq!(machine.find("id-a"), Ok(0));
        assert_eq!(machine.next(0), Ok(()));
        assert!(!machine.are_free());
        assert_eq!(machine.next(1), Ok(()));
        assert!(machine.are_free());
        assert_eq!(machine.take(0), None);
    }

    #[test]
    fn an_invocation_is_over_when_those_that_take_it_ask_again() {
        let mut machine = two();
        (0..2).for_each(|place| machine.next(place).unwrap());
        assert!(machine.invoke());
        assert!(!machine.are_free());
        assert_eq!((machine.take(0), machine.take(1)), (Some(Happening::Invoke), None));
        assert_eq!(machine.take(0), None, "told once");
        assert!(!machine.are_free());
        machine.next(0).unwrap();
        assert!(machine.are_free());
        let twice = machine.next(0).unwrap_err();
        assert_eq!(twice.error_type(), "Extension.InvalidExtensionState");
        assert_eq!(
            twice.to_string(),
            "State transition from Ready to Ready failed for extension id-a. Error: State transition is not allowed"
        );
    }

    #[test]
    fn a_broken_connection_loses_no_event() {
        let mut machine = two();
        (0..2).for_each(|place| machine.next(place).unwrap());
        machine.give_up(0);
        machine.invoke();
        assert_eq!(machine.take(0), None, "nobody is there to be told");
        machine.next(0).unwrap();
        assert_eq!(machine.take(0), Some(Happening::Invoke));
        assert!(!machine.are_free());
        machine.next(0).unwrap();
        machine.give_up(0);
        machine.next(0).unwrap();
        assert!(machine.are_free());
    }

    #[test]
    fn the_end_reaches_whoever_is_busy_when_it_asks_again() {
        let mut machine = two();
        (0..2).for_each(|place| machine.next(place).unwrap());
        machine.invoke();
        machine.take(0).unwrap();
        machine.shut_down();
        assert_eq!(machine.take(0), None);
        machine.next(0).unwrap();
        assert_eq!(machine.take(0), Some(Happening::Shutdown));
        assert!(!machine.are_gone());
        assert!(machine.ended(0, true) && machine.are_gone(), "the other one takes no SHUTDOWN");
        assert_eq!(machine.take(1), None);
    }

    #[test]
    fn who_is_not_there_internal_late_or_too_many_is_refused() {
        let mut machine = Machine::new(["a".to_owned()]);
        let take = |machine: &mut Machine, name: &str, names: &[&str]| {
            machine.register(name, &events(names), format!("id-{name}"))
        };
        assert_eq!(error_type(take(&mut machine, "", &[])), "Extension.InvalidExtensionName");
        assert_eq!(error_type(take(&mut machine, &"x".repeat(256), &[])), "Extension.InvalidExtensionName");
        let internal = take(&mut machine, "i", &["INVOKE", "SHUTDOWN"]).unwrap_err();
        assert_eq!(internal.to_string(), "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension");
        assert_eq!(error_type(take(&mut machine, "a", &["invoke"])), "Extension.InvalidEventType");
        take(&mut machine, "i", &["INVOKE"]).unwrap();
        assert_eq!(error_type(take(&mut machine, "i", &["INVOKE"])), "Extension.InvalidExtensionState");
        for name in 2..EXTENSIONS_MAX {
            take(&mut machine, &name.to_string(), &[]).unwrap();
        }
        assert_eq!(error_type(take(&mut machine, "more", &[])), "Extension.TooManyExtensions");
        machine.close();
        assert_eq!(error_type(take(&mut machine, "late", &[])), "Extension.RegistrationClosed");
        take(&mut machine, "a", &[]).unwrap();
        assert_eq!(error_type(take(&mut machine, "a", &[])), "Extension.InvalidExtensionState");
        assert_eq!(machine.find("").unwrap_err().error_type(), "Extension.UnknownExtensionIdentifier");
        assert_eq!(error_type(machine.find("other").map(drop)), "Extension.UnknownExtensionIdentifier");
    }

    #[test]
    fn errors_are_for_their_time() {
        let mut machine = two();
        machine.init_error(0).unwrap();
        machine.init_error(0).unwrap();
        assert!(machine.next(0).is_err() && machine.exit_error(0).is_err() && !machine.are_free());
        machine.next(1).unwrap();
        assert!(machine.init_error(1).is_err(), "its start is over");
        machine.exit_error(1).unwrap();
        machine.exit_error(1).unwrap();
        assert!(machine.next(1).is_err());
        assert!(!machine.ended(1, true), "nobody had told it to end");
        assert_eq!(machine.all()[1].phase, Phase::Exited);
    }

    proptest! {
        /// Whatever is called in whatever order: nobody is told anything that it doesn't take, more often than it happened,
        /// or before it asked, and while nobody is busy nobody is owed an invocation.
        #[test]
        fn no_order_of_calls_harms(calls in proptest::collection::vec((0u8..9, 0usize..4), 0..300)) {
            let mut machine = Machine::new(["a".to_owned(), "b".to_owned()]);
            let names = ["a", "b", "c", "d"];
            let (mut invoked, mut told) = (0, [0; 4]);
            for (call, who) in calls {
                let place = machine.find(&format!("id-{who}"));
                match (call, place) {
                    (0, _) => {
                        let taken = [&["INVOKE", "SHUTDOWN"][..], &[], &["INVOKE"], &["INVOKE"]][who];
                        drop(machine.register(names[who], &events(taken), format!("id-{who}")));
                    }
                    (1, Ok(place)) => drop(machine.next(place)),
                    (2, Ok(place)) => {
                        let before = machine.all()[place].clone();
                        match machine.take(place) {
                            Some(Happening::Invoke) => {
                                told[who] += 1;
                                prop_assert!(before.takes_invoke && before.is_waiting);
                            }
                            Some(Happening::Shutdown) => prop_assert!(before.takes_shutdown && before.is_waiting),
                            None => {}
                        }
                    }
                    (3, Ok(place)) => machine.give_up(place),
                    (4, Ok(place)) => drop(machine.init_error(place)),
                    (5, Ok(place)) => drop(machine.exit_error(place)),
                    (6, _) => machine.close(),
                    // As the environment does: only when nobody is busy.
                    (7, _) if machine.are_free() => {
                        invoked += 1;
                        machine.invoke();
                    }
                    (8, _) if who == 3 => machine.shut_down(),
                    (8, Ok(place)) if who == 2 => drop(machine.ended(place, true)),
                    _ => {}
                }
                prop_assert!(told.iter().all(|told| *told <= invoked));
                prop_assert!(machine.all().len() <= EXTENSIONS_MAX);
                let owed = |extension: &Extension| extension.owed == Some(Happening::Invoke);
                prop_assert!(!machine.are_free() || !machine.all().iter().any(owed));
            }
        }
    }
}
