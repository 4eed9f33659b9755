//! What the operating system's environment says outside of our own options.

use std::path::{Path, PathBuf};

/// The folders in which programs are searched, in order.
#[expect(
    clippy::disallowed_methods,
    reason = "runtime::config is the reader of the environment"
)]
pub(crate) fn program_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// Where data is kept when nothing else is configured: `/var/lib/wanderer-kills` for root, else
/// `wanderer-kills` below the user's data folder, else below the current folder.
#[expect(
    clippy::disallowed_methods,
    reason = "runtime::config is the reader of the environment"
)]
pub(crate) fn default_data_dir() -> PathBuf {
    data_dir_for(
        nix::unistd::geteuid().is_root(),
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from),
        std::env::home_dir(),
    )
}

fn data_dir_for(root: bool, xdg_data_home: Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    if root {
        return PathBuf::from("/var/lib/wanderer-kills");
    }
    xdg_data_home
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .unwrap_or_else(|| Path::new(".").to_path_buf())
        .join("wanderer-kills")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_keeps_data_where_services_do() {
        let dir = data_dir_for(true, Some("/x".into()), Some("/root".into()));
        assert_eq!(dir, Path::new("/var/lib/wanderer-kills"));
    }

    #[test]
    fn a_user_keeps_data_in_the_data_folder() {
        assert_eq!(
            data_dir_for(false, Some("/x".into()), Some("/home/a".into())),
            Path::new("/x/wanderer-kills")
        );
        assert_eq!(
            data_dir_for(false, Some("relative".into()), Some("/home/a".into())),
            Path::new("/home/a/.local/share/wanderer-kills")
        );
        assert_eq!(
            data_dir_for(false, None, None),
            Path::new("./wanderer-kills")
        );
    }
}
