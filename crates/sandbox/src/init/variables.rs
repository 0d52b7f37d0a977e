//! The variables that a program was started with, replaced while it runs.
//!
//! The kernel puts them at the top of a new program's stack, where C libraries, and `/proc/{pid}/environ`, find them. A program that
//! waits for its function and looks for its variables late is started with room for those that it will have ([`ROOM_VARIABLE`]).

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use rustix::process::Pid;

use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::spec::ROOM_VARIABLE;

/// Places of numbers in `/proc/{pid}/stat` behind the program's name: proc(5), 28, 50 and 51.
const STACK: usize = 25;
const TEXTS_BEGIN: usize = 47;
const TEXTS_END: usize = 48;
/// A pointer, as the stack has it.
const WORD: usize = size_of::<u64>();

/// How many variables a program starts with that wants them replaced; `None` for one that doesn't.
pub fn room(variables: &[OsString]) -> Option<usize> {
    let is_room = |variable: &OsString| {
        let rest = variable.as_bytes().strip_prefix(ROOM_VARIABLE.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"="))
    };
    variables.iter().any(is_room).then_some(variables.len())
}

/// Writes `variables` over the `room` ones that the program was started with. It must not look for any at the same time.
///
/// # Errors
/// Where they are more or longer than those before, or aren't where they should be.
pub fn replace(program: Pid, room: usize, variables: &[OsString]) -> Result<(), Fault> {
    let too_much = Fault::new(Step::Program, libc::E2BIG);
    let place = Place::of(program)?;
    let mut texts = Vec::with_capacity(place.length);
    let mut pointers = Vec::with_capacity((room + 1) * WORD);
    for variable in variables {
        pointers.extend((place.texts + texts.len() as u64).to_ne_bytes());
        texts.extend(variable.as_bytes().iter().chain(&[0]));
    }
    if variables.len() > room || texts.len() > place.length {
        return Err(too_much);
    }
    texts.resize(place.length, 0);
    pointers.resize((room + 1) * WORD, 0);
    kernel::write_memory(program, place.texts, &texts).at(Step::Program)?;
    kernel::write_memory(program, place.pointers, &pointers).at(Step::Program)
}

/// Where a program's variables are.
struct Place {
    pointers: u64,
    texts: u64,
    /// All texts with their NULs, bytes.
    length: usize,
}

impl Place {
    fn of(program: Pid) -> Result<Place, Fault> {
        let elsewhere = Fault::new(Step::Program, libc::EINVAL);
        let stat = std::fs::read(format!("/proc/{}/stat", program.as_raw_nonzero())).at(Step::Program)?;
        let stat = String::from_utf8_lossy(&stat);
        let (_, numbers) = stat.rsplit_once(") ").ok_or(elsewhere)?;
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        let number = |place: usize| -> Result<u64, Fault> {
            numbers.get(place).and_then(|number| number.parse().ok()).ok_or(elsewhere)
        };
        let (stack, texts, end) = (number(STACK)?, number(TEXTS_BEGIN)?, number(TEXTS_END)?);
        let length =
            end.checked_sub(texts).and_then(|length| usize::try_from(length).ok()).ok_or(elsewhere)?;
        // The count of arguments, each of them, a null, each variable, a null: System V ABI, "Process Initialization".
        let arguments = word(program, stack)?;
        let pointers = arguments
            .checked_add(2)
            .and_then(|words| words.checked_mul(WORD as u64)?.checked_add(stack))
            .ok_or(elsewhere)?;
        if word(program, pointers)? != texts {
            return Err(elsewhere);
        }
        Ok(Place { pointers, texts, length })
    }
}

fn word(program: Pid, address: u64) -> Result<u64, Fault> {
    let mut bytes = [0; WORD];
    kernel::read_memory(program, address, &mut bytes).at(Step::Program)?;
    Ok(u64::from_ne_bytes(bytes))
}
