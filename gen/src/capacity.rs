//! Does it fit? What nodes offer, what pods ask for, and one way to place them.

mod platform;

pub use platform::{Allocatable, SystemPod, allocatable, system_pods};

use crate::artefact::{Artefacts, Footprint};
use crate::resolve::Platform;
use crate::spec::units::{Bytes, Cpu};

/// Pods that a kubelet runs at most, by its own default and on all four platforms at least.
const PODS_PER_NODE: u32 = 110;

/// An amount of what nodes offer and pods ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Processor time.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Bytes,
    /// Pods.
    pub pods: u32,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0 + other.cpu.0),
            memory: Bytes(self.memory.0 + other.memory.0),
            pods: self.pods + other.pods,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_sub(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_sub(other.memory.0)),
            pods: self.pods.saturating_sub(other.pods),
        }
    }

    fn times(self, count: u32) -> Self {
        Self {
            cpu: Cpu(self.cpu.0 * u64::from(count)),
            memory: Bytes(self.memory.0 * u64::from(count)),
            pods: self.pods * count,
        }
    }

    /// Whether it is no more than another in every respect.
    pub fn fits(self, room: Self) -> bool {
        self.cpu <= room.cpu && self.memory <= room.memory && self.pods <= room.pods
    }
}

/// Equal pods, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The workload, as people call it.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What one of its pods asks for.
    pub pod: Amount,
    /// Pods at the least, surge included.
    pub least: u32,
    /// Pods at the most.
    pub most: u32,
}

/// A pool of equal nodes and everything that is to run on it.
#[derive(Clone, Debug)]
pub struct Pool {
    /// How many nodes.
    pub nodes: u32,
    /// How many the pool's own autoscaler may make of them.
    pub nodes_at_most: u32,
    /// What one of them offers after what runs on every node.
    pub room: Amount,
    /// Everything else, the platform's own included.
    pub groups: Vec<Group>,
}

/// Who stands where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// For each node, the group of each of its pods.
    pub nodes: Vec<Vec<usize>>,
    /// The groups of pods that found no node.
    pub homeless: Vec<usize>,
}

impl Pool {
    /// The pool of an environment with what was emitted for it.
    pub fn new(platform: &Platform, artefacts: &Artefacts) -> Self {
        let offered = allocatable(platform);
        let mut room = Amount {
            cpu: offered.cpu,
            memory: offered.memory,
            pods: PODS_PER_NODE,
        };
        let mut groups = Vec::new();
        for system in system_pods(platform) {
            match system.pods {
                None => room = room.minus(system.amount()),
                Some(pods) => groups.push(Group {
                    name: system.name.to_owned(),
                    namespace: system.namespace.to_owned(),
                    pod: system.amount(),
                    least: pods,
                    most: pods,
                }),
            }
        }
        groups.extend(artefacts.footprints.iter().map(Group::of));
        Self {
            nodes: platform.nodes,
            nodes_at_most: platform.nodes_at_most.max(platform.nodes),
            room,
            groups,
        }
    }

    /// What all nodes offer together.
    pub fn offered(&self) -> Amount {
        self.room.times(self.nodes)
    }

    /// What is asked for at the least.
    pub fn at_least(&self) -> Amount {
        self.sum(|group| group.least)
    }

    /// What is asked for at the most.
    pub fn at_most(&self) -> Amount {
        self.sum(|group| group.most)
    }

    fn sum(&self, pods: impl Fn(&Group) -> u32) -> Amount {
        self.groups
            .iter()
            .fold(Amount::default(), |sum, group| sum.plus(group.pod.times(pods(group))))
    }

    /// The groups of which not even one pod fits an empty node.
    pub fn too_large(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.pod.fits(self.room))
    }

    /// Places every pod at the least: the largest first, each on the first node that has room.
    pub fn place(&self) -> Placement {
        let least: Vec<u32> = self.groups.iter().map(|group| group.least).collect();
        self.place_counted(&least, self.nodes)
    }

    /// How many pods of each group there can be on as many nodes as there may be: beginning at the least, one more of
    /// each group in turn, as long as all can be placed. Where not even the least fits, that.
    pub fn most_that_fits(&self) -> Vec<u32> {
        let mut counts: Vec<u32> = self.groups.iter().map(|group| group.least).collect();
        let most: Vec<u32> = self.groups.iter().map(|group| group.most).collect();
        if self.place_counted(&most, self.nodes_at_most).homeless.is_empty() {
            return most;
        }
        let mut open: Vec<usize> = (0..counts.len())
            .filter(|index| counts[*index] < most[*index])
            .collect();
        while !open.is_empty() {
            open.retain(|index| {
                counts[*index] += 1;
                if self.place_counted(&counts, self.nodes_at_most).homeless.is_empty() {
                    return counts[*index] < most[*index];
                }
                counts[*index] -= 1;
                false
            });
        }
        counts
    }

    /// The groups whose maximum does not fit, each as `name fits of most`.
    pub fn capped(&self) -> Vec<String> {
        self.groups
            .iter()
            .zip(self.most_that_fits())
            .filter(|(group, fits)| *fits < group.most)
            .map(|(group, fits)| format!("{} {fits} of {}", group.name, group.most))
            .collect()
    }

    fn place_counted(&self, counts: &[u32], nodes: u32) -> Placement {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by(|a, b| {
            let share = |index: &usize| self.share(self.groups[*index].pod);
            share(b).cmp(&share(a)).then(a.cmp(b))
        });
        let mut free = vec![self.room; nodes as usize];
        let mut placement = Placement {
            nodes: vec![Vec::new(); nodes as usize],
            homeless: Vec::new(),
        };
        for index in order {
            let pod = self.groups[index].pod;
            // Equal pods: where one did not fit, the next one need not be tried.
            let mut first = 0;
            for _ in 0..counts[index] {
                match (first..free.len()).find(|node| pod.fits(free[*node])) {
                    Some(node) => {
                        free[node] = free[node].minus(pod);
                        placement.nodes[node].push(index);
                        first = node;
                    }
                    None => placement.homeless.push(index),
                }
            }
        }
        placement
    }

    /// The larger of a pod's shares of a node, in millionths.
    fn share(&self, pod: Amount) -> u64 {
        let of = |part: u64, whole: u64| part.saturating_mul(1_000_000) / whole.max(1);
        of(pod.cpu.0, self.room.cpu.0).max(of(pod.memory.0, self.room.memory.0))
    }
}

impl Group {
    fn of(footprint: &Footprint) -> Self {
        Self {
            name: footprint.name.clone(),
            namespace: footprint.namespace.clone(),
            pod: Amount {
                cpu: footprint.cpu,
                memory: footprint.memory,
                pods: 1,
            },
            least: footprint.pods,
            most: footprint.pods_at_most.max(footprint.pods),
        }
    }
}

/// Volumes of an environment: how many, and how much storage they take as the platform makes them.
pub fn volumes(platform: &Platform, artefacts: &Artefacts) -> (u32, Bytes) {
    artefacts
        .footprints
        .iter()
        .filter_map(|footprint| Some((footprint.pods_at_most.max(footprint.pods), footprint.volume?)))
        .fold((0, Bytes(0)), |(count, sum), (pods, volume)| {
            let each = platform.volume(volume).0;
            (count + pods, Bytes(sum.0 + each * u64::from(pods)))
        })
}

#[cfg(test)]
mod tests;
