//! Properties of reading and editing that hold for any bytes.

use proptest::prelude::*;

use super::Edit;
use super::MainCf;
use super::MasterCf;
use super::apply_edits;
use super::catalogue;
use super::postconf::Files;
use super::postconf::Request;
use super::split_list;
use crate::name::Parameter;
use crate::name::ServiceName;
use crate::thing::Field;

/// Bytes that resemble a configuration file.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(
            prop_oneof![
                Just("relayhost = a"),
                Just("smtp inet n - y - - smtpd -o a=b"),
                Just("lmtp unix - - y - - lmtp"),
                Just(" -o { c = d e }"),
                Just("\n"),
                Just(" "),
                Just("#"),
                Just("$"),
                Just("${"),
                Just("{"),
                Just("}"),
                Just("="),
                Just("-o"),
                Just("\0"),
                Just("\r"),
            ],
            0..40
        )
        .prop_map(|parts| parts.concat().into_bytes()),
    ]
}

fn name() -> impl Strategy<Value = Parameter> {
    prop_oneof![Just("relayhost"), Just("a"), Just("new_one")]
        .prop_filter_map("a name", |name| Parameter::new(name).ok())
}

fn service() -> impl Strategy<Value = ServiceName> {
    prop_oneof![Just("smtp/inet"), Just("lmtp/unix"), Just("x/unix")]
        .prop_filter_map("a service", |name| ServiceName::new(name).ok())
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (name(), "[ -~\t]{0,12}").prop_map(|(name, value)| Edit::Set(name, value)),
        name().prop_map(Edit::Unset),
        (service(), "[ -~]{0,20}").prop_map(|(service, line)| Edit::SetService(service, line)),
        service().prop_map(Edit::UnsetService),
        service().prop_map(|service| Edit::SetField(service, Field::Chroot, "n".to_owned())),
        (service(), "[ -~]{0,20}").prop_map(|(service, command)| Edit::SetField(
            service,
            Field::Command,
            command
        )),
        (service(), name(), "[!-~]{0,8}")
            .prop_map(|(service, name, value)| Edit::SetOption(service, name, value)),
        (service(), name()).prop_map(|(service, name)| Edit::UnsetOption(service, name)),
    ]
}

/// Whether a word that is not the first of its line begins with `#`.
///
/// postconf(1) puts what follows the options of a command on a line of its own. Where that begins with `#`, the line
/// is a comment from then on, and the next edit moves it above the entry. Ours does the same, byte for byte.
fn has_comment_word(text: &[u8]) -> bool {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    text.split(|byte| *byte == b'\n')
        .filter(|line| line.trim_ascii_start().first() != Some(&b'#'))
        .flat_map(|line| line.split(is_blank))
        .any(|word| word.starts_with(b"#"))
}

#[test]
#[allow(clippy::expect_used)]
fn a_hash_behind_the_options_of_a_command_becomes_a_comment() {
    let service = ServiceName::new("smtp/unix").expect("a service");
    let name = Parameter::new("x").expect("a name");
    let edit = [Edit::SetOption(service, name, "y".to_owned())];
    let entry = "smtp       unix  -       -       n       -       -       a\n    -o x=y\n";
    let edited = |master: &[u8]| apply_edits(b"", master, &edit).map(|(_, master)| master);
    let once = edited(b"smtp unix - - n - - a -o x=y # b\n");
    assert_eq!(once, Ok(format!("{entry}    # b\n").into_bytes()));
    let twice = once.and_then(|master| edited(&master));
    assert_eq!(twice, Ok(format!("    # b\n{entry}").into_bytes()));
}

proptest! {
    // The generated texts often fall under the exceptions of a property.
    #![proptest_config(ProptestConfig {
        max_global_rejects: 65_536,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn parsing_keeps_every_byte(text in text()) {
        let (main, master) = (MainCf::parse(&text), MasterCf::parse(&text));
        prop_assert_eq!(main.bytes(), &text[..]);
        prop_assert_eq!(master.bytes(), &text[..]);
    }

    #[test]
    fn the_same_edit_twice_is_the_edit_once(main in text(), master in text(), edit in edit()) {
        // A NUL hides the end of its line from postconf, and then an edit can glue lines together.
        prop_assume!(!main.contains(&0) && !master.contains(&0));
        // With an unclosed brace in a command, postconf itself adds a blank at each edit, and so do we.
        prop_assume!(!master.contains(&b'{') && !matches!(&edit, Edit::SetField(_, _, text) | Edit::SetService(_, text) if text.contains('{')));
        prop_assume!(!has_comment_word(&master) && !matches!(&edit, Edit::SetField(_, _, text) | Edit::SetService(_, text) if has_comment_word(text.as_bytes())));
        // An entry that names another service than its pattern is a rename.
        if let Edit::SetService(service, line) = &edit {
            let (name, kind) = service.parts();
            prop_assume!(line.split_whitespace().take(2).eq([name, kind]));
        }
        if let Ok((main, master)) = apply_edits(&main, &master, std::slice::from_ref(&edit)) {
            let again = apply_edits(&main, &master, &[edit]);
            prop_assert_eq!(again, Ok((main, master)));
        }
    }

    #[test]
    fn what_is_set_is_read_back(main in text(), value in "[ -~]{0,20}") {
        prop_assume!(!main.contains(&0));
        prop_assume!(!main.ends_with(b"\xff"));
        let Ok(name) = Parameter::new("relayhost") else { return Ok(()); };
        let edits = [Edit::Set(name, value.clone())];
        let Ok((main, _)) = apply_edits(&main, b"", &edits) else { return Ok(()); };
        let main = MainCf::parse(&main);
        prop_assert!(main.get("relayhost").is_some_and(|read| super::same_value(read, &value)));
    }

    #[test]
    fn nothing_panics(
        main in text(),
        master in text(),
        arguments in prop::collection::vec(prop_oneof![
            Just("-n"), Just("-x"), Just("-f"), Just("-M"), Just("-P"), Just("-F"), Just("-X"),
            Just("-#"), Just("-e"), Just("relayhost"), Just("smtp/inet"), Just("a=b"),
            Just("smtp/inet/command=x {"), Just("-"), Just("--"), Just("-oa=$b"),
        ], 0..4)
    ) {
        let arguments: Vec<Vec<u8>> = arguments.iter().map(|text| text.as_bytes().to_vec()).collect();
        let shown = String::from_utf8_lossy(&main).into_owned();
        if let Ok(request) = Request::parse(&arguments) {
            let _ = request.answer(&Files { main: Some(main), master: Some(master) });
        }
        let _ = split_list(&shown);
        let _ = catalogue::referenced_names(&shown);
        let _ = catalogue::check("maximal_queue_lifetime", &shown);
        let _ = catalogue::version_problem("message_size_limit", &shown);
        let _ = catalogue::check("message_size_limit", &shown);
        let _ = catalogue::restrictions::read(&shown);
        let _ = catalogue::tables::types(&shown);
    }
}
