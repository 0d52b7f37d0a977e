#![no_main]

use libfuzzer_sys::fuzz_target;
use pitbird_hostile::target;

fuzz_target!(|bytes: &[u8]| {
    (target("frames").reads)(bytes);
});
