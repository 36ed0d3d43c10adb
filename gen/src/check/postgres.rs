//! Rules about PostgreSQL.

use super::{Rule, Subject, rule, waivable};
use crate::diagnostic::Diagnostic;
use crate::resolve::{Postgres, Service};

pub(super) const RULES: &[Rule] = &[
    rule(320, "PostgreSQL has a connection for every pod", connections_fit),
    waivable(330, "the database can be restored", database_can_be_restored),
    waivable(331, "a committed task survives the loss of a node", commits_survive),
];

/// The largest holders of connections that a finding names.
const NAMED: usize = 3;

/// Instances of which one may be lost while a commit is still on two.
const DURABLE_INSTANCES: u32 = 3;

fn connections_fit(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let postgres = &env.postgres;
    let needed: u32 = env.services.iter().map(Service::connections_at_most).sum();
    let offered = postgres.connections_for_services();
    if needed <= offered {
        return Vec::new();
    }
    let reserved = postgres.max_connections - offered;
    let mut holders: Vec<&Service> = env.services.iter().filter(|it| it.connections_at_most() > 0).collect();
    holders.sort_by_key(|service| std::cmp::Reverse(service.connections_at_most()));
    let named: Vec<String> = holders.iter().take(NAMED).map(|service| holds(service)).collect();
    let message = format!("services may open {needed} connections, PostgreSQL has {offered} for them");
    let label = if reserved == 0 {
        format!("{offered} in all")
    } else {
        format!("{offered}, and {reserved} for its own and its operator's use")
    };
    vec![
        subject
            .error(320, &format!("{}/maxConnections", postgres.pointer), message)
            .label(label)
            .reason(format!(
                "the most are held by {}; the pod that comes last, under load or in a release, is refused and never becomes ready",
                named.join(", ")
            ))
            .fix(format!(
                "write `maxConnections: {}`, or lower `replicas.max` or `pool` of a service",
                needed + reserved
            )),
    ]
}

/// What a service holds, and why: its most pods and one more in a release, and the migration before it.
fn holds(service: &Service) -> String {
    let of_a_pod = service.pool + service.direct_connections;
    format!(
        "{} ({} = {} pods × {of_a_pod} + {})",
        service.app_id(),
        service.connections_at_most(),
        service.max_replicas + 1,
        catalogue::database::MIGRATION_CONNECTIONS
    )
}

/// Where CloudNativePG runs in production, nothing here configures its backups yet.
fn database_can_be_restored(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(cluster) = production_cluster(subject) else {
        return Vec::new();
    };
    vec![
        subject
            .error(330, subject.env.postgres.pointer, "PostgreSQL here has no backup")
            .warning()
            .label(format!("{} instances copy every mistake at once", cluster.instances))
            .reason("replicas are no backup: a wrong `delete`, or a lost zone with all volumes, is final, and PostgreSQL is the truth that everything else is rebuilt from")
            .fix("make backups outside of this repository and waive TF0330 with where they are, or use a service that has them"),
    ]
}

fn commits_survive(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(cluster) = production_cluster(subject).filter(|it| it.instances < DURABLE_INSTANCES) else {
        return Vec::new();
    };
    let message = format!(
        "{} PostgreSQL instance{} cannot lose one and keep every commit",
        cluster.instances,
        if cluster.instances == 1 { "" } else { "s" }
    );
    vec![
        subject
            .error(331, &format!("{}/instances", subject.env.postgres.pointer), message)
            .warning()
            .label("fewer than 3")
            .reason(
                "with two instances, writing goes on while one is away: if the other is lost then, what was committed meanwhile is lost too; with one, all is",
            )
            .fix("use 3 instances: each commit is on two, and one may be lost"),
    ]
}

fn production_cluster<'a>(subject: &Subject<'a>) -> Option<&'a crate::resolve::Cluster> {
    let Postgres { cluster, .. } = &subject.env.postgres;
    cluster.as_ref().filter(|_| subject.env.is_production())
}
