//! Builds the parts, runs them, and stops them in order.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use pitbird_cli::{CpuShare, Egress, ServeOptions, read_prices};
use pitbird_console::{Console, Door, Revisions};
use pitbird_control::{Asked, Control, Credential, Lookup, Signatures};
use pitbird_edge::Edge;
use pitbird_invoke::{Invoker, Reach};
use pitbird_names::Account;
use pitbird_otlp::{Config as Export, Exporter};
use pitbird_prices::PriceList;
use pitbird_records::Rollout;
use pitbird_records::usage_plan::Throttle;
use pitbird_sandbox::{Launcher, SpawnerCommand};
use pitbird_service::{Caller, Permission, Service};
use pitbird_sigv4::{Secret, Session};
use pitbird_store::{OpenError, Store};
use pitbird_telemetry::Telemetry;
use pitbird_trace::Tracer;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::dispatch::Dispatch;
use crate::export;
use crate::inside::Inside;
use crate::integrated::Integrated;
use crate::listen;
use crate::listener::{self, Program};
use crate::runtimes;
use crate::services::{self, Parts, Started, Tasks};
use crate::tls::Tls;
use crate::user_pools;

/// A server that listens, until it is told to stop.
pub struct Serving {
    pub address: SocketAddr,
    /// How strongly functions are isolated, in a sentence.
    pub isolation: String,
    /// For who comes next.
    socket: Option<TcpListener>,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
    tasks: Tasks,
    follower: pitbird_logs::Follower,
    dispatch: Arc<Dispatch>,
    invoker: Invoker,
    telemetry: Arc<Telemetry>,
    exporter: Option<Exporter>,
    launcher: Launcher,
}

impl Serving {
    /// Builds everything and listens, on the socket that was handed over if there is one; what is to be exported goes out
    /// from now on.
    ///
    /// # Errors
    /// When the port is taken, the data folder is locked or damaged, the host isolates less than asked for, or the
    /// server should listen beyond loopback without keys.
    pub async fn start(
        options: &ServeOptions,
        inherited: Option<TcpListener>,
        export: Option<Export>,
    ) -> Result<Serving> {
        let keys = options.keys.as_deref().map(read_keys).transpose()?.unwrap_or_default();
        let wanted = match &inherited {
            Some(listener) => listener.local_addr().context("the socket handed over has no address")?,
            None => options.listen,
        };
        if !wanted.ip().is_loopback() && keys.is_empty() {
            bail!(
                "{wanted} is beyond loopback, where every call must be signed with a key that this server knows\n\
                 hint: give --keys FILE with a line ACCESS_KEY_ID SECRET_ACCESS_KEY, or listen on 127.0.0.1"
            );
        }
        let socket = inherited.map_or_else(|| listener::bind(wanted), Ok)?;
        socket.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
        let address = listener.local_addr().context("the listener has no address")?;
        let tls = tls(options)?;
        if options.time_scale != 1.0 {
            tracing::warn!(
                time_scale = options.time_scale,
                "the waits of CodeDeploy's deployments are divided"
            );
        }
        let (tracer, spans) = export::tracer(export.as_ref());
        let (parts, launcher, inside) = build(options, address, tracer).await?;
        let exporter = export.map(|config| Exporter::start(&config, spans, &parts.telemetry));
        let Started { services, tasks, follower, locations } = services::start(&parts, options.time_scale)?;
        let Parts { store, telemetry, invoker, edge, .. } = parts;
        let isolation = launcher.report().to_string();
        let names = services.iter().map(|service| service.model).collect();
        let (control, door) = control(services, &store, keys);
        let control = Arc::new(control);
        let console = Console::new(control.clone(), door, revisions(&store), services::entropy);
        let admin = Admin {
            store,
            telemetry: telemetry.clone(),
            locations,
            services: names,
            began: Instant::now(),
            began_at: SystemTime::now(),
            isolation: isolation.clone(),
        };
        let (stop, stopped) = watch::channel(false);
        let dispatch = Arc::new(Dispatch { edge, control, console, admin });
        inside.connect(&dispatch);
        let integrated = Integrated::new(inside, dispatch.admin.store.clone(), &dispatch);
        dispatch.edge.connect(Arc::new(integrated));
        let listening = tokio::spawn(listen::run(listener, dispatch.clone(), Arc::new(tls), stopped));
        Ok(Serving {
            address,
            isolation,
            socket: Some(socket),
            stop,
            listening,
            tasks,
            follower,
            dispatch,
            invoker,
            telemetry,
            exporter,
            launcher,
        })
    }

    /// Stops in order: no new requests, then the requests under way, then the functions, then what they measured.
    pub async fn stop(mut self) -> Result<()> {
        // Who connects from now on is told at once.
        self.socket = None;
        self.hand_over().await.map(|_| ())
    }

    /// Stops in the same order, and gives the socket: who connects meanwhile waits there, as long as it is kept.
    async fn hand_over(self) -> Result<Option<TcpListener>> {
        let _nobody_listens = self.stop.send(true);
        self.follower.end_sessions();
        self.dispatch.console.stop().await;
        drop(self.dispatch);
        self.listening.await.context("the listener failed")?;
        self.tasks.stop().await?;
        self.invoker.shutdown().await;
        self.launcher.shutdown().await;
        self.follower.stop().await;
        let closed = self.telemetry.close().await;
        // What could be kept can be told.
        if let Some(exporter) = self.exporter {
            exporter.stop().await;
        }
        closed.context("logs and metrics of the last moments may be lost")?;
        Ok(self.socket)
    }
}

fn tls(options: &ServeOptions) -> Result<Tls> {
    match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => Tls::given(certificate, key),
        _ => Ok(Tls::made(options.data_dir.join("tls"))),
    }
}

/// What helps where the data folder can't be used at all.
const OWN_FOLDER: &str =
    "--data-dir names a folder that this user may write to; one that isn't there is made";

/// Why the data folder can't be used, with what to do about it.
fn unusable(error: OpenError) -> anyhow::Error {
    let hint = match &error {
        OpenError::Directory { .. } | OpenError::Database { .. } => OWN_FOLDER,
        OpenError::Locked { .. } => "stop that server, or give this one a folder of its own with --data-dir",
        OpenError::Damaged { .. } => {
            "put a copy of the file from before in its place, or begin anew in another folder with --data-dir"
        }
        OpenError::Foreign { .. } => "give this server a folder of its own with --data-dir",
        OpenError::Newer { .. } => {
            "start a pitbird as new as that, or begin anew in another folder with --data-dir"
        }
    };
    anyhow!("{error}\nhint: {hint}")
}

/// Makes a folder that other users of the host can't look into: functions' variables and code, events and logs are in it. One that is
/// there stays as it is.
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What services are made of, and the launcher under it.
pub(crate) async fn build(
    options: &ServeOptions,
    address: SocketAddr,
    tracer: Tracer,
) -> Result<(Parts, Launcher, Arc<Inside>)> {
    make_private(&options.data_dir).map_err(|error| {
        anyhow!("can't make the data folder {}: {error}\nhint: {OWN_FOLDER}", options.data_dir.display())
    })?;
    let pool_keys = user_pools::read(&options.user_pool_keys)?;
    let own_prices = options.prices.as_deref().map(read_prices).transpose()?;
    let prices = Arc::new(own_prices.unwrap_or_else(|| PriceList::embedded().clone()));
    // Whoever changes something waits for this thread; requests under way would keep it from the processor for milliseconds.
    let store = Store::open_with(&options.data_dir, || {
        if let Err(error) = pitbird_sandbox::wake_this_thread_soon() {
            tracing::debug!(%error, "changes may wait for requests under way");
        }
    });
    let store = store.map_err(unusable)?;
    let telemetry = options.data_dir.join("telemetry");
    let config =
        pitbird_telemetry::Config { takes_data_plane: !options.without_telemetry, ..Default::default() };
    let telemetry = Telemetry::open(&telemetry, &config).map_err(|error| {
        let hint = "if it is moved away, they are all that is lost";
        anyhow!("{error}\nhint: {} holds logs, metrics and usage; {hint}", telemetry.display())
    })?;
    let launcher = launcher(options).await?;
    runtimes::check(&options.runtimes.runtimes, &launcher).await?;
    let sts = pitbird_sts::State { store: store.clone(), entropy: services::entropy };
    let inside = Arc::new(Inside::new(sts));
    let config = invoker_config(options, address, &launcher, &telemetry, &store, &inside);
    let invoker = Invoker::start(pitbird_invoke::Config { tracer: tracer.clone(), ..config })?;
    let edge = Edge::new(store.snapshots().clone(), invoker.clone(), telemetry.clone());
    let throttle = options
        .account_throttle
        .map(|limit| Throttle { burst_limit: limit.burst.into(), rate_limit: limit.rate });
    let edge = edge.with_user_pool_keys(pool_keys).with_account_throttle(throttle).with_tracer(tracer);
    let edge = Arc::new(edge);
    Ok((Parts { store, telemetry, invoker, edge, prices }, launcher, inside))
}

/// Serves until SIGTERM or SIGINT. At SIGUSR2 it stops as orderly and starts anew, as the program that stands in its place then:
/// clients that connect meanwhile wait, and nobody is turned away.
pub async fn run(options: &ServeOptions, inherited: Option<TcpListener>) -> Result<()> {
    use std::io::Write;
    let program = Program::own()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut restart = signal(SignalKind::user_defined2())?;
    let export = export::config(options)?;
    let serving = Serving::start(options, inherited, export).await?;
    let mut out = std::io::stdout();
    // Whoever started us may have closed the pipe; serving goes on.
    let _unread = writeln!(out, "pitbird listens on http://{}", serving.address);
    let _unread = writeln!(out, "functions are isolated by {}", serving.isolation);
    if options.time_scale != 1.0 {
        let _unread = writeln!(out, "WARNING: waits of CodeDeploy are divided by {}", options.time_scale);
    }
    if options.without_telemetry {
        let _unread =
            writeln!(out, "WARNING: requests and invocations aren't measured and leave no log lines");
    }
    let _unread = writeln!(out, "Ready.").and_then(|()| out.flush());
    let starts_anew = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        _ = restart.recv() => true,
    };
    if !starts_anew {
        return serving.stop().await;
    }
    let Some(socket) = serving.hand_over().await? else { return Ok(()) };
    if is_ended([&mut terminate, &mut interrupt], &mut restart).await {
        return Ok(());
    }
    Err(program.restart(&socket))
}

/// Whether anybody has ordered the end while a restart was under way. From here on such an order is its own end, and one more to restart, which
/// the next program would not survive before it listens for it, is none.
async fn is_ended(ends: [&mut Signal; 2], restart: &mut Signal) -> bool {
    use std::task::{Context, Waker};
    let (own, restarts) = (rustix::process::getpid(), SignalKind::user_defined2().as_raw_value());
    pitbird_sandbox::default_signals(
        &[SignalKind::terminate(), SignalKind::interrupt()].map(|kind| kind.as_raw_value()),
    );
    let context = &mut Context::from_waker(Waker::noop());
    while restart.poll_recv(context).is_ready() {}
    // Signals are heard in their order: with this one, what came before is.
    if rustix::process::kill_process(own, rustix::process::Signal::USR2).is_ok() {
        restart.recv().await;
    }
    pitbird_sandbox::ignore_signals(&[restarts]);
    ends.into_iter().any(|end| end.poll_recv(context).is_ready())
}

async fn launcher(options: &ServeOptions) -> Result<Launcher> {
    let mut config = pitbird_sandbox::Config::new(SpawnerCommand::own_binary());
    config.minimum_level = options.minimum_isolation;
    config.state_directory = absolute(&options.data_dir)?.join("sandbox");
    // Interpreters that wait take no environment's place.
    config.sandboxes_max += 4 * pitbird_invoke::PARKED_MAX;
    config.outside = reach(options).map(|_| pitbird_invoke::way_out());
    config.cpu_shares = options.cpu_share != CpuShare::Full;
    let launcher = Launcher::start(config).await.context("functions can't be isolated as asked")?;
    if reach(options).is_some() && !launcher.report().has_outside {
        bail!(
            "functions can't be let out: that takes a network of their own and /dev/net/tun, and here is {}\n\
             hint: give this user access to /dev/net/tun, or leave out --egress",
            launcher.report()
        );
    }
    if options.cpu_share != CpuShare::Full && !launcher.report().has_cpu_shares {
        bail!(
            "functions can't be given CPU by their memory: that takes control groups with the CPU controller, and here is {}\n\
             hint: let this user have them, or leave out --cpu-share",
            launcher.report()
        );
    }
    Ok(launcher)
}

/// What one environment takes of this process's descriptors: its sandbox's, and some connections to its Runtime API.
const FILES_PER_ENVIRONMENT: u64 = 12;
/// What everything else takes: clients, files of the store, logs.
const OTHER_FILES: u64 = 512;

/// Of all descriptors, one in so many at most is for what functions send outside.
const EGRESS_PART: u64 = 4;

/// Lets this process have as many descriptors as it may have, and answers how many environments these are enough for, and how many
/// sockets for what functions send outside, if they may.
fn descriptors(egress_sockets: u32) -> (u32, u32) {
    let most = pitbird_invoke::Limits::default().environments_max;
    let limits = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits });
    let files = if raised.is_ok() { limits.maximum } else { limits.current };
    let Some(files) = files else { return (most, egress_sockets) };
    let sockets = (files / EGRESS_PART).clamp(1, u64::from(egress_sockets).max(1)) as u32;
    if sockets < egress_sockets {
        tracing::warn!(files, sockets, "few descriptors (ulimit -n), so fewer sockets for functions");
    }
    let others = OTHER_FILES + u64::from(sockets.min(egress_sockets));
    let enough = (files.saturating_sub(others) / FILES_PER_ENVIRONMENT).clamp(1, most.into()) as u32;
    if enough < most {
        tracing::warn!(
            files,
            environments = enough,
            "few descriptors (ulimit -n), so fewer environments at once"
        );
    }
    (enough, sockets)
}

/// How far functions may reach beside AWS.
fn reach(options: &ServeOptions) -> Option<Reach> {
    match options.egress {
        Egress::None => None,
        Egress::Public => Some(Reach::Public),
        Egress::Networks => Some(Reach::Networks),
    }
}

fn invoker_config(
    options: &ServeOptions,
    address: SocketAddr,
    launcher: &Launcher,
    telemetry: &Arc<Telemetry>,
    store: &Store,
    inside: &Arc<Inside>,
) -> pitbird_invoke::Config {
    let egress_sockets = if options.egress == Egress::None { 0 } else { options.egress_sockets };
    let (environments_max, egress_sockets_max) = descriptors(egress_sockets);
    pitbird_invoke::Config {
        launcher: launcher.clone(),
        telemetry: telemetry.clone(),
        tracer: Tracer::off(),
        store: store.clone(),
        cache_directory: absolute(&options.data_dir)
            .unwrap_or_else(|_| options.data_dir.clone())
            .join("cache"),
        search_path: runtimes::search_path(),
        chosen_runtimes: runtimes::chosen(&options.runtimes.runtimes),
        aws: Some(inside.clone()),
        endpoint_url: Some(format!("http://{address}")),
        reach: reach(options),
        limits: pitbird_invoke::Limits {
            parked: options.parked,
            invocations_per_s: options.account_invocations,
            environments_max,
            egress_sockets_max,
            cpu_share: match options.cpu_share {
                CpuShare::Full => pitbird_invoke::CpuShare::Full,
                CpuShare::ByMemory => pitbird_invoke::CpuShare::ByMemory,
            },
            ..Default::default()
        },
        events: Default::default(),
    }
}

/// Which releases there are, and which of them somebody has written since: what they are isn't read for that.
fn revisions(store: &Store) -> Revisions {
    let store = store.clone();
    Arc::new(move |scope| {
        let prefix = pitbird_records::prefix(scope, &[]);
        let found = store.revs::<Rollout<serde_json::Value, serde_json::Value>>(&prefix);
        let found = found.map_err(|error| error.to_string())?.into_iter();
        Ok(found.map(|(key, revision)| (key[prefix.len()..].to_owned(), revision)).collect())
    })
}

/// The AWS endpoint, and who is let in at the console beside it.
fn control(services: Vec<Service>, store: &Store, keys: Keys) -> (Control, Door) {
    let signatures = if keys.is_empty() { Signatures::Unchecked } else { Signatures::Required };
    let store = store.clone();
    let policies = store.clone();
    let lookup: Lookup = Arc::new(move |id| keys.get(id).cloned().or_else(|| temporary(&store, id)));
    let gate = Arc::new(move |caller: &Caller, asked: &Asked| permission(&policies, caller, asked));
    let door = match signatures {
        Signatures::Unchecked => Door::Open,
        Signatures::Required => Door::Keys(lookup.clone()),
    };
    (Control::new(services, signatures, lookup, gate), door)
}

/// What do a role's policies say of what its session asks for? A key of the file that the server was given is its owner's in person.
/// A store that can't be read allows nothing.
fn permission(store: &Store, caller: &Caller, asked: &Asked) -> Permission {
    if !caller.principal.contains(":assumed-role/") {
        return Permission::Allowed;
    }
    let asked = pitbird_iam::Asked { action: &asked.action, resources: &asked.resources };
    pitbird_iam::role_session_permission(store, &caller.principal, asked).unwrap_or_else(|error| {
        tracing::error!(%error, "a role's policies can't be read");
        Permission::Denied
    })
}

/// Credentials that STS gave out. A store that can't be read knows nobody.
fn temporary(store: &Store, access_key_id: &str) -> Option<Credential> {
    let session = pitbird_sts::session(store, access_key_id).unwrap_or_else(|error| {
        tracing::error!(%error, "temporary credentials can't be read");
        None
    })?;
    let token = Session {
        token: session.token,
        expires_epoch_s: u64::try_from(session.expires_ms / 1000).unwrap_or(0),
    };
    let secret = Secret { secret_access_key: session.secret_access_key, session: Some(token) };
    Some(Credential {
        secret,
        account: session.account,
        principal: session.principal,
        session_id: Some(session.user_id),
    })
}

type Keys = HashMap<String, Credential>;

/// Reads a file of keys: `ACCESS_KEY_ID SECRET_ACCESS_KEY [ACCOUNT]` a line, `#` before comments.
fn read_keys(path: &Path) -> Result<Keys> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the keys in {}", path.display()))?;
    let mut keys = Keys::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let (id, secret, account) = match words[..] {
            [] => continue,
            [id, secret] => (id, secret, Account::default()),
            [id, secret, account] => {
                let account = Account::parse(account);
                (
                    id,
                    secret,
                    account.with_context(|| {
                        format!("{}:{}: an account has twelve digits", path.display(), number + 1)
                    })?,
                )
            }
            _ => {
                bail!("{}:{}: expected ACCESS_KEY_ID SECRET_ACCESS_KEY [ACCOUNT]", path.display(), number + 1)
            }
        };
        let principal = format!("arn:aws:iam::{account}:user/{id}");
        let secret = Secret { secret_access_key: secret.to_owned(), session: None };
        keys.insert(id.to_owned(), Credential { secret, account, principal, session_id: None });
    }
    if keys.is_empty() {
        bail!("{} has no keys", path.display());
    }
    Ok(keys)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} has no absolute path", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let check = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_keys(&path)
        };
        let keys = check("# ours\nAKIDEXAMPLE secret\nAKIDOTHER other 123456789012 # theirs\n").unwrap();
        assert_eq!(keys["AKIDEXAMPLE"].account, Account::default());
        assert_eq!(keys["AKIDOTHER"].account.as_str(), "123456789012");
        for (text, words) in [("", "no keys"), ("one", ":1: expected"), ("a b 12", "twelve digits")] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
