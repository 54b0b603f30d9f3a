//! Prints what is plugged in, a line each: capability, RFC, kind of row, name of row, source file. For tables and checks.
//! Then the response codes, which belong to no capability.

fn main() {
    for extension in imap::registry::extensions() {
        let head = format!("{}\t{}", extension.capability, extension.rfc);
        if imap::registry::rows(extension).next().is_none() {
            println!("{head}\t\t\t{}", extension.file);
        }
        for (kind, name) in imap::registry::rows(extension) {
            println!("{head}\t{kind}\t{name}\t{}", extension.file);
        }
    }
    for code in imap::registry::response_codes() {
        println!("\t9051\tresponse code\t{code}\tresponse/code.rs");
    }
}
