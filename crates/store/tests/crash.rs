//! The power goes at any moment, hundreds of times, each time by a seed: nothing acknowledged is lost, nothing refused appears.

#![allow(clippy::unwrap_used, reason = "a failing test is the answer")]

mod driver;
mod model;

use model::{Weather, walk};

fn survive(seeds: std::ops::Range<u64>, weather: Weather) -> (u64, u64) {
    let mut sums = (0, 0);
    for seed in seeds {
        let model = walk(seed, weather).unwrap_or_else(|error| panic!("{error}"));
        sums = (sums.0 + model.acknowledged, sums.1 + model.reclaimed);
    }
    sums
}

#[test]
fn power_cuts_lose_nothing_acknowledged() {
    let (acknowledged, _) = survive(0..300, Weather { reclaim: false, ..Weather::FAIR });
    assert!(acknowledged > 3_000, "the walks must have done something: {acknowledged} appends");
}

#[test]
fn power_cuts_while_reclaiming_lose_nothing_in_use() {
    let (acknowledged, reclaimed) = survive(1_000..1_300, Weather::FAIR);
    assert!(acknowledged > 3_000 && reclaimed > 300, "{acknowledged} appends, {reclaimed} blobs reclaimed");
}

#[test]
fn refused_for_lack_of_space_never_appears() {
    survive(2_000..2_200, Weather { full: true, ..Weather::FAIR });
}

#[test]
fn tight_disk_and_power_cuts_lose_nothing_acknowledged() {
    let (acknowledged, reclaimed) =
        survive(4_000..4_200, Weather { tight: true, full: true, ..Weather::FAIR });
    assert!(acknowledged > 2_000 && reclaimed > 100, "{acknowledged} appends, {reclaimed} blobs reclaimed");
}

#[test]
fn failed_syncs_and_power_cuts_lose_nothing_acknowledged() {
    survive(3_000..3_200, Weather { failing_syncs: true, full: true, ..Weather::FAIR });
}

#[test]
fn skipped_syncs_are_noticed() {
    let weather = Weather { lying_syncs: true, ..Weather::FAIR };
    let noticed = (0..30).filter(|seed| walk(*seed, weather).is_err()).count();
    assert!(noticed >= 20, "a disk that skips syncs was noticed in only {noticed} of 30 walks");
}
