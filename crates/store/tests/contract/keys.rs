//! Secrets that all servers of an installation share.

use std::sync::Barrier;
use std::thread;

use jiff::Timestamp;

use crate::harness::{TestDatabase, World, on_each_database};

fn key(world: &World, purpose: &'static str, fresh: u8) -> Vec<u8> {
    let key =
        world.write(move |tx| tx.installation_key(purpose, &[fresh; 32], Timestamp::UNIX_EPOCH));
    key.expect("nothing stands in the way")
}

fn servers_that_start_together_have_one_key(database: &TestDatabase) {
    let worlds = [(); 4].map(|()| World::on(database));
    let barrier = Barrier::new(worlds.len());
    let keys: Vec<Vec<u8>> = thread::scope(|scope| {
        let starts: Vec<_> = (1..)
            .zip(&worlds)
            .map(|(fresh, world)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    key(world, "cursor", fresh)
                })
            })
            .collect();
        starts.into_iter().map(|start| start.join().expect("the thread ends")).collect()
    });
    assert!(keys[0].len() == 32 && (1..=4).contains(&keys[0][0]), "{keys:?}");
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(key(&World::on(database), "cursor", 9), keys[0], "it outlives its server");
    assert_eq!(key(&worlds[0], "other", 9), [9; 32], "each purpose has its own");
}

on_each_database!(servers_that_start_together_have_one_key);
