use super::program::{Place, path};

#[test]
fn check_prints_what_is_in_force_and_it_is_a_configuration() {
    let place = Place::new();
    let shown = place.must(&["config", "check"]);
    assert!(shown.contains(&format!("data = \"{}\"", path(&place.data()))), "{shown}");
    assert!(shown.contains("idle_seconds = 1860"), "{shown}");
    let file = place.folder.path().join("again.toml");
    std::fs::write(&file, &shown).unwrap();
    assert_eq!(place.must(&["config", "check", "--config", path(&file)]), shown);
}

#[test]
fn every_mistake_is_named_with_its_line_and_nothing_is_started() {
    let place = Place::new();
    let file = place.folder.path().join("bad.toml");
    std::fs::write(&file, "[limits]\nconections = 5\n[tls]\nkey = \"k\"\n").unwrap();
    for command in [&["config", "check"][..], &["serve"], &["account", "list"]] {
        let error = place.fails(1, &[command, &["--config", path(&file)]].concat());
        assert!(
            error.contains("line 2: unknown key `limits.conections` (did you mean `connections`?)"),
            "{error}"
        );
        assert!(error.contains("line 4: `tls.key` needs `certificate` beside it"), "{error}");
    }
    assert!(!place.data().exists());
}

#[test]
fn the_manual_page_and_completions_come_out_of_the_program() {
    let place = Place::new();
    assert!(place.must(&["man"]).contains(".TH mansio"));
    assert!(place.must(&["completions", "bash"]).contains("_mansio"));
}
