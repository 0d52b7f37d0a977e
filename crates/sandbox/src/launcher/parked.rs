//! Programs that are started before anybody knows for which function.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::Launcher;
use super::link::Link;
use crate::error::Error;
use crate::message::ToSpawner;
use crate::sandbox::{Sandbox, Tmp};
use crate::spec::Spec;

/// How long a parked program may take to take its function.
const ADOPT_MAX: Duration = Duration::from_secs(5);

/// A sandbox whose program has started and waits to be told whose it is. Dropping it kills all of it.
#[derive(Debug)]
pub struct Parked {
    sandbox: Sandbox,
    link: Link,
    spec: Spec,
}

impl Launcher {
    /// Whether programs can be parked: only where sandboxes have mounts of their own.
    pub fn can_park(&self) -> bool {
        self.shared.mode.has_namespaces()
    }

    /// Starts a program that waits for its function, given what [`Spec::without_function`] leaves. Returns when it waits.
    ///
    /// The program is one that knows about it. It finds the number of a stream socket in the variable
    /// [`IDENTITY_VARIABLE`](crate::IDENTITY_VARIABLE). It writes a byte there when it is ready, and reads until the end: first the
    /// working directory that it is to enter, then its whole environment as `NAME=value`, each text with a NUL behind it. By then
    /// the function's files are where they belong. It writes another byte, closes the socket, and goes on as if it had just
    /// been started so. It need not enter the directory itself: its working directory is there by then.
    ///
    /// # Errors
    /// See [`Error`]. Nothing of the sandbox is left then.
    pub async fn park(&self, spec: Spec) -> Result<Parked, Error> {
        if !self.can_park() {
            return Err(Error::Spec("programs can't be parked without namespaces".to_owned()));
        }
        if !spec.companions.programs.is_empty() || spec.connectors > 0 {
            return Err(Error::Spec("a parked program has neither companions nor connectors".to_owned()));
        }
        let link = self.link().await?;
        let sandbox = self.ask(&link, |request| ToSpawner::park(request, &spec), &spec, None).await?;
        Ok(Parked { sandbox, link, spec })
    }
}

impl Parked {
    /// What it was started with.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The host's number of the sandbox's first process.
    pub fn pid(&self) -> u32 {
        self.sandbox.pid()
    }

    /// Whether it has ended, and is of no use any more.
    pub fn has_ended(&self) -> bool {
        self.sandbox.life.borrow().end.is_some() || self.link.has_ended()
    }

    /// Waits until it has ended.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut life = self.sandbox.life.clone();
        async move {
            // An error means the end, too: nobody is left to tell of it.
            let _ = life.wait_for(|life| life.end.is_some()).await;
        }
    }

    /// Makes it a function's. Returns when the program knows.
    ///
    /// # Errors
    /// When the specification isn't for this program, when the program has ended or doesn't answer, or when something can't be given.
    /// Nothing of the sandbox is left then, and nothing of the function has run.
    pub async fn adopt(self, spec: &Spec) -> Result<Sandbox, Error> {
        spec.check()?;
        let alike = Spec {
            working_dir: self.spec.working_dir.clone(),
            ..spec.without_function(self.spec.env.clone())
        };
        if alike != self.spec {
            return Err(Error::Spec("the parked program is another".to_owned()));
        }
        let adopted = self.link.adopt(self.sandbox.number, spec, ADOPT_MAX).await;
        let number = self.sandbox.number;
        let with_tmp =
            |tmp: Option<OwnedFd>| Sandbox { tmp: tmp.map(|hold| Tmp { hold, of: number }), ..self.sandbox };
        adopted.map(with_tmp).map_err(|failure| failure.explain(ADOPT_MAX, spec))
    }
}
