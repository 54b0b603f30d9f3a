use super::{Config, WithoutTls};

fn problems(text: &str) -> Vec<String> {
    Config::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn what_check_prints_means_the_same() {
    let default = Config::default();
    assert_eq!(Config::parse(&default.to_string()), Ok(default));

    let text = "data = \"/srv/ma\\\"il\"\n[listen]\nimap = []\nimaps = [\"[::1]:0\", \"127.0.0.1:1\"]\n\
        [tls]\ncertificate = \"c\"\nkey = \"k\"\n[login]\nwithout_tls = \"never\"\n[limits]\nmessage_bytes = \"1 MiB\"\n\
        [log]\nformat = \"json\"\nlevel = \"debug\"\n[metrics]\nlisten = \"127.0.0.1:9143\"\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.limits.message_bytes, 1 << 20);
    assert_eq!(config.login.without_tls, WithoutTls::Never);
    assert_eq!(config.listen.imap, Some(vec![]));
    assert_eq!(Config::parse(&config.to_string()), Ok(config));
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let text =
        "dtaa = \"x\"\n\n[limit]\nconnections = 5\n[tls]\ncertifcate = \"c\"\n[log]\nlevel = \"loud\"\n";
    assert_eq!(
        problems(text),
        [
            "line 1: unknown key `dtaa` (did you mean `data`?)",
            "line 3: unknown section `limit` (did you mean `limits`?)",
            "line 6: unknown key `tls.certifcate` (did you mean `certificate`?)",
            "line 8: `log.level` must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        ]
    );
}

#[test]
fn values_out_of_range_are_refused() {
    assert_eq!(
        problems("[limits]\nidle_seconds = 60\nmessage_bytes = \"1 furlong\"\nconnections = -1"),
        [
            "line 2: `limits.idle_seconds` must be a number from 1800 to 604800",
            "line 3: `limits.message_bytes` must be a number from 65536 to 4294967296 (\"64 MiB\" is fine too)",
            "line 4: `limits.connections` must be a number from 1 to 1000000",
        ]
    );
}

#[test]
fn a_broken_line_does_not_hide_the_next_mistake() {
    let found = problems("data = = 1\n[listen]\nimap = \"127.0.0.1:143\"\n");
    assert!(found.iter().any(|problem| problem.starts_with("line 1:")), "{found:?}");
    assert!(
        found.iter().any(|problem| problem.starts_with("line 3: `listen.imap` must be a list")),
        "{found:?}"
    );
}

#[test]
fn half_a_certificate_is_refused() {
    assert_eq!(problems("[tls]\nkey = \"k\""), ["line 2: `tls.key` needs `certificate` beside it"]);
}

#[test]
fn metrics_stay_on_this_machine() {
    assert_eq!(
        problems("[metrics]\nlisten = \"0.0.0.0:9143\""),
        ["line 2: `metrics.listen` must be a loopback address: the page asks for no password"]
    );
}

#[test]
fn a_section_given_as_a_value_is_explained() {
    assert_eq!(problems("tls = 1"), ["line 1: `tls` is a section: write `[tls]`"]);
}

#[test]
fn the_manual_names_every_key_with_its_default() {
    let manual = include_str!("../../../../docs/operating.md");
    let mut section = String::new();
    for line in Config::default().to_string().lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, value)) = line.split_once(" = ") {
            let row = format!("| `{section}{key}` | ");
            let default = manual
                .lines()
                .find_map(|line| line.strip_prefix(&row))
                .map(|rest| rest.trim_start_matches('`'));
            assert!(default.is_some_and(|rest| rest.starts_with(value)), "{row}{value}");
        } else if let Some((key, _)) = line.strip_prefix("# ").and_then(|line| line.split_once(": ")) {
            assert!(manual.contains(&format!("`{section}{key}`")), "{section}{key}");
        }
    }
}
