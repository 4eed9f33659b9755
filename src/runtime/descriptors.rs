//! File descriptors: each connection is one, and a process that has none left can't reach its own database.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors kept back from clients: pools, upstreams, logs, files that are read, and the embedded server.
const RESERVE: u64 = 128;

/// Raises the process's own limit to what the system allows it; many systems start a program with 1,024.
/// For the program: a host that embeds the library has a limit of its own.
pub fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        }
        Ok(())
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files can't be raised");
    }
}

/// Descriptors that this process may have open; `None` where the system does not tell.
pub fn allowed() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE)
        .ok()
        .map(|(soft, _)| soft)
}

/// How many connections clients may have at the same time: `wanted`, or less where descriptors are scarce.
pub fn for_clients(wanted: usize) -> usize {
    let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted;
    };
    // Of very few, half.
    let spare = soft.saturating_sub(RESERVE).max(soft / 2).max(1);
    usize::try_from(spare).map_or(wanted, |spare| spare.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_no_more_than_they_may_and_never_nothing() {
        assert_eq!(for_clients(1), 1);
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let most = for_clients(usize::MAX);
        assert!(most >= 1 && u64::try_from(most).unwrap() < soft.max(2));
    }
}
