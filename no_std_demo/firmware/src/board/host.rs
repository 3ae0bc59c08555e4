//! What a product has of its own and this demonstration gets from the debugger (semihosting): a log, a
//! settings store, random numbers, the time of day, and a way to end.

use cortex_m_semihosting::{nr, syscall};

/// Writes a line to the log.
pub(crate) fn log(parts: &[&str]) {
    for part in parts {
        write_out(part.as_bytes());
    }
    write_out(b"\n");
}

/// A number in decimal, for the log.
pub(crate) fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        length += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    let digits = digits.get(digits.len() - length..).unwrap_or_default();
    core::str::from_utf8(digits).unwrap_or_default()
}

/// Reads the settings, `key=value` words separated by spaces, into `buffer`.
#[cfg(not(feature = "fixed"))]
pub(crate) fn settings(buffer: &mut [u8]) -> &str {
    let mut block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the block names a buffer that lives during the call, and its length.
    let failed = unsafe { syscall(nr::GET_CMDLINE, &mut block) };
    if failed != 0 {
        return "";
    }
    // The length that comes back is that of the buffer.
    let settings = buffer.split(|octet| *octet == 0).next().unwrap_or_default();
    core::str::from_utf8(settings).unwrap_or_default()
}

/// Fills `out` with random octets of the host. False if there are none.
pub(crate) fn entropy(out: &mut [u8]) -> bool {
    read_file(c"/dev/urandom", out) == Some(out.len())
}

/// Seconds since 1970.
#[cfg(feature = "client")]
pub(crate) fn unix_time() -> u32 {
    // SAFETY: this call takes no argument.
    unsafe { syscall(nr::TIME, &0_u32) as u32 }
}

/// Ends the emulation with this exit code.
pub(crate) fn exit(code: u32) -> ! {
    const EXIT_EXTENDED: usize = 0x20;
    const APPLICATION_EXIT: u32 = 0x2_0026;
    loop {
        // SAFETY: the block holds the reason and the code.
        unsafe { syscall(EXIT_EXTENDED, &[APPLICATION_EXIT, code]) };
    }
}

/// Reads a file on the host into `out`, whole if it fits.
#[cfg(feature = "secure")]
pub(crate) fn read_named<'o>(path: &str, out: &'o mut [u8]) -> Option<&'o [u8]> {
    let length = with_c_str(path, |path| read_file(path, out))??;
    out.get(..length)
}

/// Calls `act` with a path that ends with a zero octet.
#[cfg(feature = "client")]
fn with_c_str<T>(path: &str, act: impl FnOnce(&core::ffi::CStr) -> T) -> Option<T> {
    let mut room = [0; 128];
    if path.len() >= room.len() {
        return None;
    }
    for (to, from) in room.iter_mut().zip(path.bytes()) {
        *to = from;
    }
    Some(act(core::ffi::CStr::from_bytes_until_nul(&room).ok()?))
}

/// Reads the beginning of a file on the host and returns how many octets that is.
fn read_file(path: &core::ffi::CStr, out: &mut [u8]) -> Option<usize> {
    let handle = open(path, nr::open::R_BINARY)?;
    // SAFETY: the block names an open file, and a buffer with its length.
    let missing = unsafe { syscall(nr::READ, &[handle, out.as_mut_ptr() as usize, out.len()]) };
    close(handle);
    out.len().checked_sub(missing)
}

/// A file on the host that is written.
#[cfg(feature = "client")]
pub(crate) struct HostFile(usize);

#[cfg(feature = "client")]
impl HostFile {
    /// Makes an empty file.
    pub(crate) fn create(path: &str) -> Option<Self> {
        let handle = with_c_str(path, |path| open(path, nr::open::W_TRUNC_BINARY))?;
        handle.map(Self)
    }

    pub(crate) fn write(&self, octets: &[u8]) {
        // SAFETY: the block names an open file, and a buffer with its length.
        unsafe { syscall(nr::WRITE, &[self.0, octets.as_ptr() as usize, octets.len()]) };
    }
}

#[cfg(feature = "client")]
impl Drop for HostFile {
    fn drop(&mut self) {
        close(self.0);
    }
}

fn open(path: &core::ffi::CStr, mode: usize) -> Option<usize> {
    let length = path.count_bytes();
    // SAFETY: the block names a path that ends with a zero octet, and its length without that.
    let handle = unsafe { syscall(nr::OPEN, &[path.as_ptr() as usize, mode, length]) };
    (handle != usize::MAX).then_some(handle)
}

fn close(handle: usize) {
    // SAFETY: the block names an open file.
    unsafe { syscall(nr::CLOSE, &[handle]) };
}

fn write_out(octets: &[u8]) {
    // The log is lost without a debugger, and nothing else.
    if let Ok(mut log) = cortex_m_semihosting::hio::hstdout() {
        log.write_all(octets).ok();
    }
}
