//! The operations held against their models, and the support page held against the operations.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use pitbird_cli::ServeOptions;
use pitbird_service::{Kind, Member};
use pitbird_wire::{Catalog, Kind as Shape, Model, ShapeId};

use super::*;

/// Why a member of an input can't be right; `None` when the model has it and its kind fits.
fn misfit(model: &Model, input: Option<ShapeId>, member: &Member) -> Option<String> {
    let mut shape = input?;
    for part in member.path.split('.') {
        let name = part.trim_end_matches("[]");
        let Some(found) = model.members(shape).iter().find(|found| found.name == name) else {
            return Some(format!("the model has no {}", member.path));
        };
        shape = found.reference.shape;
        for _ in 0..part.matches("[]").count() {
            shape = match &model.shape(shape).kind {
                Shape::List { member, .. } => member.shape,
                Shape::Map { value, .. } => value.shape,
                _ => return Some(format!("{} is no list or map in the model", member.path)),
            };
        }
    }
    let kind = &model.shape(shape).kind;
    let fits = match member.kind {
        Kind::Boolean => matches!(kind, Shape::Boolean),
        Kind::Integer => matches!(kind, Shape::Integer | Shape::Long),
        Kind::Float => matches!(kind, Shape::Float | Shape::Double | Shape::Timestamp(_)),
        Kind::String => matches!(kind, Shape::String),
        Kind::Blob => matches!(kind, Shape::Blob { .. }),
        Kind::List => matches!(kind, Shape::List { .. }),
        Kind::Map => matches!(kind, Shape::Map { .. }),
        Kind::Structure => matches!(kind, Shape::Structure(_)),
        Kind::Any => true,
    };
    (!fits).then(|| format!("{} is {:?} here and {kind:?} in the model", member.path, member.kind))
}

/// All services as the server has them, and what keeps them alive.
struct Bed {
    services: Vec<Service>,
    _tasks: Tasks,
    _launcher: pitbird_sandbox::Launcher,
    _folder: tempfile::TempDir,
}

async fn bed() -> Bed {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = ServeOptions {
        listen: address,
        data_dir: folder.path().to_owned(),
        keys: None,
        user_pool_keys: Vec::new(),
        account_throttle: None,
        account_invocations: None,
        tls_certificate: None,
        tls_key: None,
        minimum_isolation: pitbird_sandbox::Level::Process,
        runtimes: Default::default(),
        parked: 0,
        cpu_share: pitbird_cli::CpuShare::Full,
        egress: pitbird_cli::Egress::None,
        egress_sockets: 1,
        otlp_endpoint: None,
        trace_sample: None,
        time_scale: 1.0,
        prices: None,
        without_telemetry: false,
        log: "warn".to_owned(),
    };
    let (parts, launcher, _inside) =
        crate::serve::build(&options, address, Default::default()).await.expect("the parts");
    let Started { services, tasks, .. } = start(&parts, 1.0).expect("the services");
    Bed { services, _tasks: tasks, _launcher: launcher, _folder: folder }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_every_input_is_in_the_model() {
    let bed = bed().await;
    let services = &bed.services;
    let mut faults = Vec::new();
    for service in services {
        let model = Catalog::embedded().model(service.model).expect("a service has a model");
        for name in service.operations() {
            let Some(operation) = model.operation(name) else {
                faults.push(format!("{} has no operation {name}", service.model));
                continue;
            };
            for member in service.input_members(name).unwrap_or_default() {
                let misfit = misfit(model, operation.input, &member);
                faults.extend(misfit.map(|misfit| format!("{} {name}: {misfit}", service.model)));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// `docs/support.md` is made from the services themselves; `PITBIRD_BLESS=1` writes it anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_support_page_tells_what_is_there() {
    let bed = bed().await;
    let services = &bed.services;
    let mut page = String::from(
        "# Support\n\nWhat each service can do, made from the code by a test. Anything else that the models know is identified \
         and answers\n`501` with its name. A member that an operation doesn't honour is refused by name.\n",
    );
    for service in Catalog::embedded().services() {
        let model = service.model();
        let known = model.operations().len();
        let ours = services.iter().find(|ours| ours.model == service.key());
        let names: Vec<&str> = ours.map(|ours| ours.operations().collect()).unwrap_or_default();
        writeln!(page, "\n## {} ({} of {known} operations)\n", service.metadata.service_id, names.len())
            .expect("text");
        let words = if names.is_empty() { "None yet.".to_owned() } else { names.join(", ") };
        writeln!(page, "{words}").expect("text");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/support.md");
    if std::env::var_os("PITBIRD_BLESS").is_some() {
        std::fs::write(&path, &page).expect("docs/support.md can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/support.md is out of date: run with PITBIRD_BLESS=1");
}
