//! Faults, races and steady mail on real hosts: whatever happens to an apply, no host is left half-way.
//!
//! Each story prints how often something was tried and how often the host survived; docs/reliability.md
//! has the figures. `MURDER_RELIABILITY=0.2` tries a fifth of that, `MURDER_RELIABILITY_SEED` repeats the
//! moments of another run.

// Two manifests to change to and fro between, and what each makes of a host.
mod colours;
// Clients, shells, hosts and cables that die in the middle.
mod crashes;
// Disks that are full, read-only, or out of inodes.
mod disks;
// Two at once, and hosts that move between plan and apply.
mod races;
// Probes that fail, and plans that delete too much.
mod refusals;
// The password: where it stands, and where it must not.
pub mod secrets;
// Mail that flows all the while.
mod steady;
// Looking at Postfix all the while, on the host itself.
mod watch;
// The order of hosts, and what stops it.
mod waves;

pub use crashes::a_host_without_its_client_finishes;
pub use races::a_host_that_moved_is_left_alone;
pub use refusals::{a_failed_probe_puts_back, deleting_much_is_asked_for};
pub use secrets::the_password_stands_where_it_must;
pub use steady::{a_folder_moves_under_its_mail, mail_flows_through_applies};
pub use waves::{
    a_failed_host_stops_the_waves, deferred_mail_stops_the_next_wave, interrupts_are_safe,
};

use std::time::{Duration, SystemTime};

use crate::world::World;
use colours::Target;

/// Hosts of these stories alone: their Postfix may suffer.
const HOSTS: &[&str] = &["c1", "c2", "c3", "c4", "c5", "c6", "c7"];

/// How often a thing is tried: so often, times the number in `MURDER_RELIABILITY` where it is given.
fn times(number: usize) -> usize {
    let factor = std::env::var("MURDER_RELIABILITY").ok();
    let factor: f64 = factor.map_or(1.0, |factor| {
        factor.parse().expect("MURDER_RELIABILITY is a number")
    });
    // Counts are small, and at least one is tried.
    (1..)
        .find(|count| f64::from(*count) >= number as f64 * factor)
        .map_or(1, |count: u32| count as usize)
}

/// Moments by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn new(place: u64) -> Self {
        static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        let seed = SEED.get_or_init(|| {
            let given = std::env::var("MURDER_RELIABILITY_SEED").ok();
            let seed = given.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
                SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(1, |since| since.as_secs())
            });
            println!("\n    MURDER_RELIABILITY_SEED={seed}");
            seed
        });
        Self(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ^ (place + 1).wrapping_mul(0xd134_2543_de82_ef95),
        )
    }

    /// Anything from nothing to the whole (xorshift64*).
    fn part_of(&mut self, whole: Duration) -> Duration {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        whole.mul_f64(f64::from(u32::try_from(word).unwrap()) / f64::from(1u32 << 24))
    }
}

/// How often something was tried, and what went wrong.
#[derive(Default)]
struct Tally {
    tried: usize,
    wrong: Vec<String>,
    notes: Vec<String>,
}

impl Tally {
    fn add(&mut self, result: Result<(), String>) {
        self.tried += 1;
        self.wrong.extend(result.err());
    }

    /// Says the figures, and demands that nothing went wrong.
    #[track_caller]
    fn tell(self, what: &str) {
        println!(
            "\n    {what}: {} tried, {} survived{}",
            self.tried,
            self.tried - self.wrong.len().min(self.tried),
            self.notes
                .iter()
                .fold(String::new(), |all, note| all + "; " + note)
        );
        assert!(self.tried > 0, "{what}: nothing was tried");
        assert!(
            self.wrong.is_empty(),
            "{what}:\n{}",
            self.wrong.join("\n\n")
        );
    }
}

/// Clients and shells that are killed, and cables that are cut.
pub fn an_apply_cut_off_is_finished_by_the_next(world: &mut World) {
    secrets::begin_sampling(world);
    let targets = colours::prepare(world, &HOSTS[..4]);
    let world = &*world;
    let [c1, c2, c3, c4] = &targets[..] else {
        panic!("as many targets as hosts");
    };
    side_by_side(&[&|| crashes::the_client_is_killed(world, [c1, c2]), &|| {
        crashes::the_worker_is_killed(world, [c3, c4])
    }]);
    crashes::the_cable_is_cut(world, &targets);
}

/// Hosts that lose their power, disks that fail, and two applies at once.
pub fn no_fault_leaves_a_host_half_way(world: &mut World) {
    secrets::begin_sampling(world);
    let targets = colours::prepare(world, &HOSTS[4..]);
    let world = &*world;
    let [c5, c6, c7] = &targets[..] else {
        panic!("as many targets as hosts");
    };
    side_by_side(&[
        &|| crashes::the_power_fails(world, c5),
        &|| races::two_apply_at_once(world, c6),
        &|| disks::disks_fail(world, c7),
    ]);
}

/// Runs all, and fails if one did.
fn side_by_side(works: &[&(dyn Fn() + Sync)]) {
    std::thread::scope(|scope| {
        for work in works {
            scope.spawn(work);
        }
    });
}

/// The words that confine a run to one host and one of its two manifests.
fn only(target: &Target, colour: colours::Colour) -> Vec<&str> {
    vec!["--overlay", colour.overlay(), "--host", &target.name]
}
