use pitbird_sandbox::Missing;

use super::*;

fn host() -> HostReport {
    HostReport {
        kernel: "6.12.1".to_owned(),
        isolation: Ok(Report {
            level: Level::NamespacesRoot,
            user_namespace: true,
            cgroups: CgroupVersion::V2,
            has_outside: false,
            has_cpu_shares: true,
            missing: Vec::new(),
        }),
        runtimes: vec![
            Runtime::with("python3.13", "/usr/bin/python3.13".into(), "3.13.2"),
            Runtime {
                name: "nodejs22.x".to_owned(),
                found: Err("no Node on PATH".to_owned()),
                is_chosen: false,
            },
        ],
        listen: "127.0.0.1:4566".parse().unwrap(),
        listen_fault: None,
    }
}

#[test]
fn a_good_host_can_serve() {
    let doctor = Doctor::new(&host());
    assert!(doctor.can_serve());
    let expected = "\
ok    kernel      6.12.1
ok    isolation   namespaces root
ok    cgroups     v2
ok    CPU share   in proportion to memory with --cpu-share by-memory
ok    python3.13  /usr/bin/python3.13 (3.13.2)
less  nodejs22.x  no Node on PATH
ok    port 4566   127.0.0.1:4566 is free
`pitbird serve` can run here.
";
    assert_eq!(doctor.rendered(Output::Table), expected);
}

#[test]
fn what_a_host_lacks_is_said_with_its_reason() {
    let missing = Missing { what: "memory limit".to_owned(), why: "no cgroups".to_owned() };
    let report = Report {
        level: Level::Landlock,
        user_namespace: false,
        cgroups: CgroupVersion::None,
        has_outside: false,
        has_cpu_shares: false,
        missing: vec![missing],
    };
    let doctor = Doctor::new(&HostReport { isolation: Ok(report), ..host() });
    assert!(doctor.can_serve(), "less is not nothing");
    let text = doctor.rendered(Output::Table);
    assert!(text.contains("less  memory limit  not given: no cgroups"), "{text}");
    assert!(text.contains("hint: functions see more"), "{text}");
}

#[test]
fn why_there_are_no_control_groups_is_said_once() {
    let missing = [("control groups", "nobody may"), ("memory limit", "without control groups")]
        .map(|(what, why)| Missing { what: what.to_owned(), why: why.to_owned() })
        .to_vec();
    let report =
        Report { cgroups: CgroupVersion::None, missing, has_cpu_shares: false, ..host().isolation.unwrap() };
    let text = Doctor::new(&HostReport { isolation: Ok(report), ..host() }).rendered(Output::Table);
    assert!(text.contains("less  cgroups       none: nobody may\n"), "{text}");
    assert!(text.contains("less  memory limit  not given: without control groups\n"), "{text}");
    assert_eq!(text.matches("nobody may").count(), 1, "{text}");
}

#[test]
fn a_host_that_cannot_serve_says_why() {
    let taken = HostReport { listen_fault: Some("address in use".to_owned()), ..host() };
    let bare = HostReport { isolation: Err("no process can be started".to_owned()), ..host() };
    for (host, words) in [(taken, "address in use"), (bare, "no process can be started")] {
        let doctor = Doctor::new(&host);
        assert!(!doctor.can_serve());
        let json: Json = serde_json::from_str(&doctor.rendered(Output::Json)).unwrap();
        assert_eq!(json["CanServe"], false);
        assert!(json.to_string().contains(words), "{json}");
    }
}

#[test]
fn a_chosen_program_that_cannot_serve_keeps_the_server_from_starting() {
    let chosen = |found| Runtime { name: "python3.12".to_owned(), found, is_chosen: true };
    let doctor = |found| Doctor::new(&HostReport { runtimes: vec![chosen(found)], ..host() });
    assert!(doctor(Ok("/usr/bin/python3.11 (3.11.7), as chosen".to_owned())).can_serve());
    let doctor = doctor(Err("/a was chosen for runtime python3.12 and can't be used: why".to_owned()));
    assert!(!doctor.can_serve());
    let text = doctor.rendered(Output::Table);
    assert!(text.contains("fails  python3.12  /a was chosen"), "{text}");
    assert!(text.contains("hint: choose another program, or leave out --runtime python3.12"), "{text}");
}
