//! Processes that the bench starts: pinned to a core, watched through `/proc`, and stopped with it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::Result;

/// A process and its children. Dropping it stops them.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts a program on some cores (`0`, `0,1`), its output in `<run>/<name>.log`.
    /// `setpriv` makes the kernel end it when the bench dies, whatever kills the bench.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(run: &Path, name: &str, cores: &str, program: &Path, arguments: &[&str]) -> Result<Self> {
        let log = run.join(format!("{}.log", name.replace(' ', "-")));
        let output = File::create(&log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "taskset", "-c", cores]).arg(program).args(arguments);
        command.env_remove("OCTROI_DATABASE_URL").stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let child = command.spawn().map_err(|error| format!("{name}: cannot start {}: {error}", program.display()))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// Waits until something listens on the port.
    ///
    /// # Errors
    /// With the end of its log when it stops instead, or takes more than 20 s.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        self.wait_until("listen", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
    }

    /// Waits until `is_so`, asked every millisecond.
    ///
    /// # Errors
    /// With the end of its log when it stops instead, or takes more than 20 s.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("ended with {status}")).into());
            }
            if Instant::now() > deadline {
                return Err(self.failure(&format!("did not {what} within 20 s")).into());
            }
            sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn failure(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut end: Vec<&str> = log.lines().rev().take(5).collect();
        end.reverse();
        format!("{} {what}: {}", self.name, end.join(" | "))
    }

    /// CPU seconds, user and system, that the process and its children have used, with the threads that
    /// have ended. The kernel scales both to the scheduler's exact figure, and shows them in ticks (10 ms):
    /// 0.3 % of a round of three seconds.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_seconds(&self, ticks_per_second: f64) -> Result<f64> {
        let mut ticks = 0;
        for pid in tree(self.child.id())? {
            ticks += fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|text| cpu_ticks(&text)).unwrap_or(0);
        }
        #[expect(clippy::cast_precision_loss, reason = "ticks of a few minutes are far below 2^52")]
        Ok(ticks as f64 / ticks_per_second)
    }

    /// CPU seconds by the name of the threads that live now, their numbers left out: where the process spends what it spends.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_by_thread(&self) -> Result<BTreeMap<String, f64>> {
        let mut seconds: BTreeMap<String, f64> = BTreeMap::new();
        for pid in tree(self.child.id())? {
            for task in fs::read_dir(format!("/proc/{pid}/task"))? {
                let task = task?.path();
                // A thread may end between the listing and the reading.
                let (Ok(name), Ok(spent)) = (fs::read_to_string(task.join("comm")), fs::read_to_string(task.join("schedstat"))) else {
                    continue;
                };
                let Some(nanoseconds) = spent.split(' ').next().and_then(|text| text.parse::<f64>().ok()) else { continue };
                let name = name.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
                *seconds.entry(name).or_default() += nanoseconds / 1e9;
            }
        }
        Ok(seconds)
    }

    /// Proportional set size of the process and its children, bytes.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn memory(&self) -> Result<u64> {
        let text = |pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
        let sizes: Vec<u64> = tree(self.child.id())?.into_iter().filter_map(|pid| pss(&text(pid).ok()?)).collect();
        if sizes.is_empty() { Err(format!("{}: its memory cannot be read", self.name).into()) } else { Ok(sizes.iter().sum()) }
    }

    /// Waits until it has nothing left to do (traces to write, for example): no tick in a fifth of a second, at most 10 s.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn settle(&self, ticks_per_second: f64) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut before = self.cpu_seconds(ticks_per_second)?;
        while Instant::now() < deadline {
            sleep(Duration::from_millis(200));
            let now = self.cpu_seconds(ticks_per_second)?;
            if now - before < 0.5 / ticks_per_second {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Asks it to stop, and waits: 15 s, then by force.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        Ok(self.child.wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: cannot be stopped: {error}", self.name);
        }
    }
}

/// A process and all below it.
fn tree(root: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end between the listing and the reading.
        let parent = fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|text| stat_field(&text, 4)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let mut found = vec![root];
    let mut place = 0;
    while let Some(&current) = found.get(place) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == current).map(|(pid, _)| *pid));
        place += 1;
    }
    Ok(found)
}

/// A field of `/proc/<pid>/stat`, numbered as in proc(5), from 3 on; the name before it may hold spaces and parentheses.
fn stat_field(text: &str, number: usize) -> Option<&str> {
    text.rsplit_once(") ")?.1.split_ascii_whitespace().nth(number.checked_sub(3)?)
}

/// `utime` + `stime`.
fn cpu_ticks(text: &str) -> Option<u64> {
    let field = |number| stat_field(text, number)?.parse::<u64>().ok();
    Some(field(14)? + field(15)?)
}

/// Bytes.
fn pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Ports of the loopback that nothing listens on now; all different.
///
/// # Errors
/// When there is none left.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let held: std::io::Result<Vec<TcpListener>> = (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
    held?.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

/// A program by its name, also where ordinary users' `PATH` does not look.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What a command prints, both streams; nothing when it cannot be run.
#[must_use]
pub fn output(program: &Path, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).stdin(Stdio::null()).output() else { return String::new() };
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_a_name_with_parentheses() {
        let text = "77 (a b) c) S 12 77 77 0 -1 4194304 900 0 0 0 250 31 0 0 20 0 3 0";
        assert_eq!(stat_field(text, 4), Some("12"));
        assert_eq!(cpu_ticks(text), Some(281));
        assert_eq!(cpu_ticks("77 (x"), None);
    }

    #[test]
    fn memory_is_the_proportional_set_size() {
        assert_eq!(pss("Rss: 9 kB\nPss:                2048 kB\nPss_Anon: 1 kB\n"), Some(2_097_152));
        assert_eq!(pss("Rss: 9 kB\n"), None);
    }

    #[test]
    fn a_process_is_seen_with_its_children_and_stopped() {
        let run = tempfile::tempdir().unwrap();
        let mut shell = Process::start(run.path(), "shell", "0", Path::new("/bin/sh"), &["-c", "sleep 60 & wait"]).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while tree(shell.child.id()).unwrap().len() < 2 && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
        assert_eq!(tree(shell.child.id()).unwrap().len(), 2);
        assert!(shell.memory().unwrap() > 10_000);
        assert!(shell.cpu_seconds(100.0).unwrap() < 5.0);
        assert!(shell.cpu_by_thread().unwrap().contains_key("sh"));
        assert!(!shell.stop().unwrap().success());
    }

    #[test]
    fn a_process_that_ends_is_told_with_its_log() {
        let run = tempfile::tempdir().unwrap();
        let mut shell = Process::start(run.path(), "shell", "0", Path::new("/bin/sh"), &["-c", "echo no such thing; exit 3"]).unwrap();
        let error = shell.wait_until("run", || false).unwrap_err().to_string();
        assert!(error.contains("3") && error.contains("no such thing"), "{error}");
    }
}
