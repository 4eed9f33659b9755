//! Who runs the server: we ourselves, or an unprivileged user when we are root.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use nix::unistd::{Uid, User};

use super::Error;

/// Accounts that run the server when we are root, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The account of the server's processes and files.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether we have to change to it.
    foreign: bool,
}

impl Account {
    /// Ourselves, or when we are root the owner of the existing data folder, or else the first candidate.
    pub(super) fn choose(data: &Path) -> Result<Self, Error> {
        let own = nix::unistd::geteuid();
        if !own.is_root() {
            return Ok(Self {
                name: own.to_string(),
                uid: own.as_raw(),
                gid: nix::unistd::getegid().as_raw(),
                foreign: false,
            });
        }
        if let Ok(metadata) = fs::metadata(data)
            && metadata.uid() != 0
        {
            return Ok(Self::foreign(
                user_name(metadata.uid()),
                metadata.uid(),
                metadata.gid(),
            ));
        }
        CANDIDATES
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::foreign(user.name, user.uid.as_raw(), user.gid.as_raw()))
            .ok_or(Error::NoAccount)
    }

    fn foreign(name: String, uid: u32, gid: u32) -> Self {
        Self {
            name,
            uid,
            gid,
            foreign: true,
        }
    }

    /// The numeric user id.
    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// Makes a command run as this account.
    pub(super) fn apply(&self, command: &mut Command) {
        if self.foreign {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// A folder of this account that nobody else may enter; an existing one is taken over.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), Error> {
        match fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create", path)(error)),
        }
        if self.foreign {
            chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io("give away", path))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(Error::io("protect", path))
    }

    /// Checks that the account can get to `path`, which exists, from the root folder.
    pub(super) fn reaches(&self, path: &Path) -> Result<(), Error> {
        if !self.foreign {
            return Ok(());
        }
        for folder in path.ancestors() {
            let metadata = fs::metadata(folder).map_err(Error::io("look at", folder))?;
            if !self.may_enter(&metadata) {
                return Err(Error::Unreachable {
                    user: self.name.clone(),
                    folder: folder.to_path_buf(),
                });
            }
        }
        Ok(())
    }

    // Supplementary groups are dropped when we change to the account, so that its own group alone counts.
    fn may_enter(&self, metadata: &fs::Metadata) -> bool {
        let needed = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        !metadata.is_dir() || metadata.mode() & needed != 0
    }
}

fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

/// Whether `path` is a folder of `uid` (and no link) that nobody else may enter.
pub(super) fn is_private(path: &Path, uid: u32) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == uid && metadata.mode() & 0o777 == 0o700
    })
}
