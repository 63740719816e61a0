//! The form of a backup: a line with its name, a line of JSON, the contents, and a last line with the SHA-256 of it all;
//! sealed as a whole by age where there is a recipient.
//!
//! It is made of lines so that nobody needs this program to get at the contents:
//! `age --decrypt -i KEY FILE | tail -n +3 | head -c -73`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use age::{DecryptError, Decryptor, Encryptor};
use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::{BackupError, Manifest, Recipient};

const MAGIC: &str = "auth-system backup 1\n";
/// The first line of every file of age.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// The length of the last line with the line end before it: `\nsha256:<64 digits>\n`.
const TRAILER: usize = 73;
/// The longest manifest that is read.
const LONGEST_MANIFEST: u64 = 64 * 1024;
const PIECE: usize = 64 * 1024;

/// The private key that opens backups.
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// Reads the first key of a file as `age-keygen` writes it.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let text = std::fs::read_to_string(path).map_err(|cause| BackupError::file(path, &cause))?;
        let key = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let key = key.and_then(|line| line.parse().ok());
        key.map(Self).ok_or_else(|| {
            BackupError::refused(format!("{}: no age private key (AGE-SECRET-KEY-1…) is in it", path.display()))
        })
    }
}

/// Writes a backup, and hands the output back.
///
/// # Errors
/// When the contents cannot be read or the output not be written; what is written then has no end, and is refused.
pub fn write<W: Write>(
    out: W,
    recipient: Option<&Recipient>,
    manifest: &Manifest,
    contents: &mut dyn Read,
) -> io::Result<W> {
    match recipient {
        None => {
            let mut out = out;
            write_plain(&mut out, manifest, contents)?;
            Ok(out)
        }
        Some(Recipient(key)) => {
            let encryptor = Encryptor::with_recipients(std::iter::once(key as &dyn age::Recipient));
            let mut out = encryptor.map_err(io::Error::other)?.wrap_output(out)?;
            write_plain(&mut out, manifest, contents)?;
            out.finish()
        }
    }
}

fn write_plain(out: &mut dyn Write, manifest: &Manifest, contents: &mut dyn Read) -> io::Result<()> {
    let mut hash = Context::new(&SHA256);
    let mut put = |out: &mut dyn Write, bytes: &[u8]| {
        hash.update(bytes);
        out.write_all(bytes)
    };
    put(out, MAGIC.as_bytes())?;
    put(out, serde_json::to_string(manifest)?.as_bytes())?;
    put(out, b"\n")?;
    let mut piece = vec![0; PIECE];
    loop {
        match contents.read(&mut piece)? {
            0 => break,
            length => put(out, &piece[..length])?,
        }
    }
    write!(out, "\nsha256:{}\n", HEXLOWER.encode(hash.finish().as_ref()))
}

/// A backup that is being read.
pub struct Archive {
    input: Box<dyn BufRead + Send>,
    hash: Context,
    manifest: Manifest,
}

impl Archive {
    /// Opens a backup, and reads what it says of itself.
    ///
    /// # Errors
    /// When it is no backup, or cannot be opened by this key.
    pub fn open(file: File, identity: Option<Identity>) -> Result<Self, BackupError> {
        let mut input = BufReader::with_capacity(PIECE, file);
        let is_sealed = input.fill_buf().map_err(|cause| read_fault(&cause))?.starts_with(AGE_MAGIC);
        let mut input: Box<dyn BufRead + Send> = match (is_sealed, identity) {
            (false, None) => Box::new(input),
            // Whoever names a key expects what only its other half can have sealed.
            (false, Some(_)) => {
                return Err(BackupError::refused(
                    "the backup is not sealed: if it is yours all the same, leave out --identity",
                ));
            }
            (true, Some(identity)) => Box::new(BufReader::with_capacity(PIECE, open_sealed(input, &identity)?)),
            (true, None) => {
                return Err(BackupError::refused(
                    "the backup is sealed: name the file of its private key by --identity",
                ));
            }
        };
        let mut hash = Context::new(&SHA256);
        if read_line(&mut input, &mut hash)? != MAGIC {
            return Err(BackupError::Damaged("it is no backup of auth-system, or one of a newer release".into()));
        }
        let manifest = serde_json::from_str(&read_line(&mut input, &mut hash)?)
            .map_err(|_| BackupError::Damaged("what it says of itself cannot be read".into()))?;
        Ok(Self { input, hash, manifest })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Copies the contents, and checks that they are what was once written, to the last byte.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] when they are not.
    pub fn copy_contents(mut self, out: &mut dyn Write) -> Result<(), BackupError> {
        // The last bytes that were read wait here: they may be the trailer.
        let mut waiting: Vec<u8> = Vec::with_capacity(PIECE + TRAILER);
        loop {
            let piece = self.input.fill_buf().map_err(|cause| read_fault(&cause))?;
            let length = piece.len();
            if length == 0 {
                break;
            }
            waiting.extend_from_slice(piece);
            self.input.consume(length);
            let sure = waiting.len().saturating_sub(TRAILER);
            self.hash.update(&waiting[..sure]);
            out.write_all(&waiting[..sure]).map_err(|cause| {
                BackupError::File(format!("no room for the contents: {cause}. Set TMPDIR to a folder that has it"))
            })?;
            waiting.drain(..sure);
        }
        let expected = format!("\nsha256:{}\n", HEXLOWER.encode(self.hash.finish().as_ref()));
        if waiting == expected.as_bytes() {
            return Ok(());
        }
        Err(BackupError::Damaged(
            if waiting.starts_with(b"\nsha256:") {
                "its checksum differs: a byte of it was changed"
            } else {
                "its end is missing: it was cut off"
            }
            .into(),
        ))
    }
}

fn open_sealed(input: BufReader<File>, identity: &Identity) -> Result<impl Read + Send + use<>, BackupError> {
    let opened = Decryptor::new_buffered(input)
        .and_then(|decryptor| decryptor.decrypt(std::iter::once(&identity.0 as &dyn age::Identity)));
    opened.map_err(|cause| {
        if matches!(cause, DecryptError::NoMatchingKeys) {
            return BackupError::refused("the private key in --identity does not open this backup");
        }
        BackupError::Damaged(cause.to_string().lines().collect::<Vec<_>>().join(" "))
    })
}

fn read_line(input: &mut dyn BufRead, hash: &mut Context) -> Result<String, BackupError> {
    let mut line = Vec::new();
    input.take(LONGEST_MANIFEST).read_until(b'\n', &mut line).map_err(|cause| read_fault(&cause))?;
    hash.update(&line);
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Of a sealed backup, any change is found out here: age authenticates every 64 KiB, and that there is an end.
fn read_fault(cause: &io::Error) -> BackupError {
    BackupError::Damaged(format!("it was cut off or changed ({cause})"))
}
