use super::*;
use proptest::prelude::*;

fn group(name: &str, cpu: u64, mebibytes: u64, least: u32, most: u32) -> Group {
    Group {
        name: name.to_owned(),
        namespace: "taskflow".to_owned(),
        pod: Amount {
            cpu: Cpu(cpu),
            memory: Bytes::mi(mebibytes),
            pods: 1,
        },
        least,
        most,
    }
}

fn pool(nodes: u32, cpu: u64, mebibytes: u64, groups: Vec<Group>) -> Pool {
    Pool {
        nodes,
        nodes_at_most: nodes,
        room: Amount {
            cpu: Cpu(cpu),
            memory: Bytes::mi(mebibytes),
            pods: PODS_PER_NODE,
        },
        groups,
    }
}

#[test]
fn what_fits_in_sum_may_still_find_no_node() {
    let pool = pool(2, 1000, 1000, vec![group("a", 10, 600, 3, 3)]);
    assert!(pool.at_least().fits(pool.offered()));
    assert_eq!(pool.place().homeless, vec![0]);
}

#[test]
fn the_largest_is_placed_first() {
    // The small ones first would share a node, and leave one of the large ones without.
    let pool = pool(
        2,
        1000,
        1000,
        vec![group("small", 10, 400, 2, 2), group("large", 10, 600, 2, 2)],
    );
    assert!(pool.place().homeless.is_empty());
}

#[test]
fn growth_stops_where_the_nodes_are_full() {
    let pool = pool(
        1,
        1000,
        1000,
        vec![group("a", 10, 300, 1, 9), group("b", 10, 100, 1, 2)],
    );
    // 1 + 1, then a second of each, then a third of `a` would be 1,100 MiB.
    assert_eq!(pool.most_that_fits(), vec![2, 2]);
}

#[test]
fn maxima_that_fit_are_left_alone() {
    let pool = pool(2, 1000, 1000, vec![group("a", 10, 300, 1, 6)]);
    assert_eq!(pool.most_that_fits(), vec![6]);
}

#[test]
fn growth_may_use_the_nodes_that_are_added() {
    let mut pool = pool(1, 1000, 1000, vec![group("a", 10, 300, 1, 9)]);
    assert_eq!(pool.most_that_fits(), vec![3]);
    pool.nodes_at_most = 2;
    assert_eq!(pool.most_that_fits(), vec![6]);
}

fn any_pool() -> impl Strategy<Value = Pool> {
    let any_group = (0..1500_u64, 0..1500_u64, 0..6_u32, 0..6_u32);
    (1..6_u32, prop::collection::vec(any_group, 0..8)).prop_map(|(nodes, groups)| {
        let groups = groups
            .into_iter()
            .enumerate()
            .map(|(index, (cpu, memory, least, more))| group(&index.to_string(), cpu, memory, least, least + more));
        pool(nodes, 1000, 1000, groups.collect())
    })
}

fn load(pool: &Pool, node: &[usize]) -> Amount {
    node.iter()
        .fold(Amount::default(), |sum, index| sum.plus(pool.groups[*index].pod))
}

proptest! {
    #[test]
    fn no_node_is_overfull_and_no_pod_is_forgotten(pool in any_pool()) {
        let placement = pool.place();
        for node in &placement.nodes {
            prop_assert!(load(&pool, node).fits(pool.room));
        }
        let placed: usize = placement.nodes.iter().map(Vec::len).sum();
        let asked: usize = pool.groups.iter().map(|group| group.least as usize).sum();
        prop_assert_eq!(placed + placement.homeless.len(), asked);
    }

    #[test]
    fn a_pod_without_a_node_fits_none(pool in any_pool()) {
        let placement = pool.place();
        for homeless in &placement.homeless {
            let pod = pool.groups[*homeless].pod;
            for node in &placement.nodes {
                prop_assert!(!load(&pool, node).plus(pod).fits(pool.room));
            }
        }
    }

    #[test]
    fn what_can_grow_stays_between_least_and_most_and_can_be_placed(pool in any_pool()) {
        let counts = pool.most_that_fits();
        for (count, group) in counts.iter().zip(&pool.groups) {
            prop_assert!((group.least..=group.most).contains(count));
        }
        if pool.place().homeless.is_empty() {
            prop_assert!(pool.place_counted(&counts, pool.nodes_at_most).homeless.is_empty());
        }
    }
}
