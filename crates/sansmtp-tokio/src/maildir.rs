//! Delivery into a Maildir: a message is on disk before anybody hears that it
//! was taken.
//!
//! A message is written into `tmp/`, synced, renamed into `new/`, and the
//! directory is synced. Its octets are stored as they are given: lines that end
//! with CR LF keep both, where other programs store LF alone. Readers of Maildir
//! take either.

use crate::random;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;

/// How many octets are written at once.
const CHUNK: usize = 64 * 1024;

/// A Maildir.
#[derive(Clone, Debug)]
pub struct Maildir {
    root: Arc<Path>,
    /// The host's part of file names.
    host: Arc<str>,
}

/// A message on its way into a Maildir. What was written is removed again if it
/// is dropped before [`Delivery::commit`].
#[derive(Debug)]
pub struct Delivery {
    maildir: Maildir,
    /// `None` once a write has failed.
    file: Option<TemporaryFile>,
    buffer: Vec<u8>,
    size: u64,
}

impl Maildir {
    /// The Maildir at `root`; missing directories are made, for the owner alone.
    /// `hostname` becomes a part of file names.
    ///
    /// # Errors
    /// The directories are not there and can not be made.
    pub async fn create(root: impl Into<PathBuf>, hostname: &str) -> io::Result<Self> {
        let maildir = Self::at(root, hostname);
        let root = Arc::clone(&maildir.root);
        blocking(move || {
            for name in ["tmp", "new", "cur"] {
                make_directory(&root.join(name))?;
            }
            Ok(())
        })
        .await?;
        Ok(maildir)
    }

    /// The Maildir at `root`, which somebody else made. Nothing is looked at.
    pub fn at(root: impl Into<PathBuf>, hostname: &str) -> Self {
        // As the convention has it for what a file name can not hold.
        let host = hostname.replace('/', "\\057").replace(':', "\\072");
        Self {
            root: root.into().into(),
            host: host.into(),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Begins a message.
    ///
    /// # Errors
    /// The file in `tmp/` can not be made.
    pub async fn begin(&self) -> io::Result<Delivery> {
        let name = unique_name(&self.host)?;
        let root = Arc::clone(&self.root);
        let file = blocking(move || TemporaryFile::create(&root, name)).await?;
        Ok(Delivery {
            maildir: self.clone(),
            file: Some(file),
            buffer: Vec::new(),
            size: 0,
        })
    }
}

impl Delivery {
    /// Appends octets. At most 64 KiB of them, and those of this call, are kept
    /// in memory.
    ///
    /// # Errors
    /// The disk does not take them. The file is removed; there is no way on.
    pub async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(CHUNK.min(octets.len().max(4096)));
        }
        self.buffer.extend_from_slice(octets);
        self.size += octets.len() as u64;
        if self.buffer.len() < CHUNK {
            return Ok(());
        }
        let mut file = self.file.take().ok_or_else(failed_before)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let (file, buffer) = blocking(move || {
            file.write_all(&buffer)?;
            buffer.clear();
            Ok((file, buffer))
        })
        .await?;
        self.file = Some(file);
        self.buffer = buffer;
        Ok(())
    }

    /// Octets so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Puts the message into `new/`, safe on disk, and returns its path.
    ///
    /// # Errors
    /// The message could not be stored; nothing of it is left.
    pub async fn commit(mut self) -> io::Result<PathBuf> {
        let mut file = self.file.take().ok_or_else(failed_before)?;
        let (buffer, size) = (self.buffer, self.size);
        let root = self.maildir.root;
        blocking(move || {
            file.write_all(&buffer)?;
            file.commit(&root, size)
        })
        .await
    }

    /// Removes what was written.
    pub async fn abort(mut self) {
        if let Some(file) = self.file.take() {
            // The result says only whether the task ran.
            let _ = spawn_blocking(move || drop(file)).await;
        }
    }
}

/// A file in `tmp/` that is removed when it is dropped.
#[derive(Debug)]
struct TemporaryFile {
    file: File,
    path: PathBuf,
    name: String,
    committed: bool,
}

impl TemporaryFile {
    fn create(root: &Path, name: String) -> io::Result<Self> {
        let path = root.join("tmp").join(&name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self {
            file,
            path,
            name,
            committed: false,
        })
    }

    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.write_all(octets)
    }

    fn commit(mut self, root: &Path, size: u64) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        let new = root.join("new");
        let path = new.join(format!("{},S={size}", self.name));
        std::fs::rename(&self.path, &path)?;
        self.committed = true;
        if let Err(error) = sync_directory(&new) {
            // Nobody will be told that it was taken, so it must not stay.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        Ok(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.committed {
            // There is nobody to tell; readers ignore old files in tmp/.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// `time.M<microsecond>P<process>Q<count>R<random>.host`, of which the random
/// part alone would do.
fn unique_name(host: &str) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Ok(format!(
        "{}.M{}P{}Q{}R{}.{host}",
        time.as_secs(),
        time.subsec_micros(),
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed),
        random::token()?,
    ))
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a rename in the directory last. Only Unix lets a directory be opened
/// for that.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

fn failed_before() -> io::Error {
    io::Error::other("an earlier write failed")
}

/// Runs file work on a thread where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
