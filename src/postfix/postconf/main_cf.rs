//! Shows parameters (`postconf`, `-n`, `-d`).

use super::answer::Answer;
use super::answer::Files;
use super::answer::print_line;
use super::known::Class;
use super::names::Names;
use super::names::unknowable;
use super::options::Request;
use crate::postfix::text::lossy;

/// Shows the parameters that the request names, or all.
pub(super) fn show(request: &Request, files: &Files, answer: &mut Answer) -> Result<(), String> {
    let names = Names::read(request, files, false, &mut answer.warnings)?;
    if request.operands.is_empty() {
        for (name, class) in names.all() {
            if wanted(request, class) {
                show_one(request, &names, name, answer)?;
            }
        }
        return Ok(());
    }
    for name in &request.operands {
        if names.class(name).is_some() {
            show_one(request, &names, name, answer)?;
        } else {
            answer
                .warnings
                .push(format!("{}: unknown parameter", lossy(name)));
        }
    }
    Ok(())
}

fn wanted(request: &Request, class: Class) -> bool {
    let class: &[u8] = match class {
        Class::Builtin => b"builtin",
        Class::Service => b"service",
        Class::User => b"user",
        Class::Obsolete => return false,
    };
    request.classes.is_empty() || request.classes.iter().any(|wanted| wanted == class)
}

fn show_one(
    request: &Request,
    names: &Names,
    name: &[u8],
    answer: &mut Answer,
) -> Result<(), String> {
    let set = names.set.get(name).filter(|_| !request.has('d'));
    let value = match set {
        Some(value) => value.as_slice(),
        None if request.has('n') => return Ok(()),
        None => match names.default(name) {
            Some(value) => value,
            None if request.has('H') => b"",
            None => return Err(unknowable(&lossy(name))),
        },
    };
    let fold = request.has('f');
    if request.has('H') {
        print_line(&mut answer.stdout, name, fold);
        return Ok(());
    }
    let value = if request.has('x') && !Names::is_raw(name) {
        names.expand(value, None)?
    } else {
        value.to_vec()
    };
    if request.has('h') {
        print_line(&mut answer.stdout, &value, fold);
    } else {
        print_line(&mut answer.stdout, &[name, b" = ", &value].concat(), fold);
    }
    Ok(())
}
