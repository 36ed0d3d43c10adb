//! PostgreSQL in this cluster, by CloudNativePG. One outside needs nothing here but its secrets.

mod crd;

use super::Inputs;
use super::base::{PRIORITY_DATA, never_pruned};
use super::container::resources;
use crate::artefact::{Artefacts, Footprint, Resource, Stage, meta};
use crate::pins;
use crate::resolve::{Cluster, Environment, NAMESPACE, Postgres};
use crate::spec::units::Bytes;
use catalogue::Catalogue;
use crd::{
    API_VERSION, Affinity, Bootstrap, ClusterSpec, Initdb, Managed, Postgresql, Role, SecretName, Storage, Synchronous,
};
use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

const FAMILY: &str = "postgres";

/// The role that owns the database and nothing in it; nobody logs in as it.
const OWNER: &str = "taskflow";
/// The role whose members may create their own schema and trusted extensions, and nothing else.
const SERVICES: &str = "taskflow_services";

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let env = inputs.env;
    let Some(cluster) = &env.postgres.cluster else {
        return;
    };
    let mut metadata = meta(NAMESPACE, Cluster::NAME);
    metadata.labels = Some(
        [
            ("app.kubernetes.io/component", "database"),
            ("app.kubernetes.io/name", "postgresql"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into(),
    );
    metadata.annotations = Some(never_pruned("deleting it deletes the database and its volumes"));
    let spec = spec(env, cluster, inputs.catalogue);
    let object = Resource::new(API_VERSION, "Cluster", metadata, spec);
    artefacts.add(FAMILY, Stage::Data, env.postgres.pointer, &object);
    artefacts.footprints.push(Footprint {
        name: Cluster::NAME.to_owned(),
        namespace: NAMESPACE.to_owned(),
        pods: cluster.instances,
        pods_at_most: cluster.instances,
        cpu: cluster.cpu,
        memory: cluster.memory,
        volume: Some(env.platform.volume(cluster.volume)),
        source: "the spec; a quarter of the memory is shared buffers",
    });
}

fn spec(env: &Environment, cluster: &Cluster, catalogue: &Catalogue) -> ClusterSpec {
    let replicated = cluster.instances > 1;
    ClusterSpec {
        instances: cluster.instances,
        image_name: pins::POSTGRESQL.image(),
        bootstrap: Bootstrap {
            initdb: Initdb {
                database: catalogue::database::DATABASE,
                owner: OWNER,
                data_checksums: true,
                post_init_application_sql: first_statements(),
            },
        },
        managed: Managed {
            roles: roles(catalogue),
        },
        postgresql: Postgresql {
            parameters: parameters(&env.postgres, cluster),
            synchronous: synchronous(cluster),
        },
        enable_superuser_access: false,
        // The budget of a single instance would forbid every drain of its node.
        enable_disruption_budget: replicated,
        primary_update_method: if replicated { "switchover" } else { "restart" },
        // Its default is 180 s, in which a primary that is going away still refuses new connections.
        smart_shutdown_timeout: 15,
        storage: Storage {
            size: env.platform.volume(cluster.volume).to_string(),
            storage_class: env.platform.storage_class,
        },
        resources: resources(cluster.cpu, cluster.memory),
        priority_class_name: PRIORITY_DATA,
        affinity: replicated.then(|| affinity(env, cluster)),
        topology_spread_constraints: zones(env, cluster),
    }
}

/// What a superuser does once, in the new database: services create their schemas themselves, as members.
///
/// `create schema if not exists` asks for the right to create one even where it exists
/// (postgres/postgres:src/backend/commands/schemacmds.c, `CreateSchemaCommand`).
fn first_statements() -> Vec<String> {
    let database = catalogue::database::DATABASE;
    vec![
        format!("create role {SERVICES} nologin"),
        format!("revoke all on database {database} from public"),
        format!("grant connect, create, temporary on database {database} to {SERVICES}"),
    ]
}

/// A role for each schema; its owner's Secret holds the password.
fn roles(catalogue: &Catalogue) -> Vec<Role> {
    let roles = catalogue.schemas.iter().map(|schema| Role {
        name: schema.role,
        comment: format!("{}: owner of schema {}", schema.owner, schema.name),
        ensure: "present",
        login: true,
        in_roles: vec![SERVICES],
        password_secret: SecretName {
            name: Postgres::secret(schema.owner),
        },
    });
    roles.collect()
}

fn parameters(postgres: &Postgres, cluster: &Cluster) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        // What the operating system will have cached, so that the planner trusts in it.
        ("effective_cache_size", megabytes(Bytes(cluster.memory.0 / 2))),
        // A transaction that waits on nobody holds back vacuum, and with it the whole database.
        ("idle_in_transaction_session_timeout", "60s".to_owned()),
        ("max_connections", postgres.max_connections.to_string()),
        ("shared_buffers", megabytes(cluster.shared_buffers())),
    ])
}

/// As PostgreSQL spells mebibytes.
fn megabytes(size: Bytes) -> String {
    format!("{}MB", size.0 >> 20)
}

/// A commit is on two instances before it is acknowledged. With two instances in all, the other one's restart must not
/// stop every write: there it is only preferred.
fn synchronous(cluster: &Cluster) -> Option<Synchronous> {
    let durable = cluster.instances > 2;
    (cluster.instances > 1).then_some(Synchronous {
        method: "any",
        number: 1,
        data_durability: if durable { "required" } else { "preferred" },
        // Only an instance that is known to have every acknowledged commit becomes primary.
        failover_quorum: durable,
    })
}

/// No two instances on one machine, where there are machines enough.
fn affinity(env: &Environment, cluster: &Cluster) -> Affinity {
    Affinity {
        pod_anti_affinity_type: if env.platform.nodes > cluster.instances {
            "required"
        } else {
            "preferred"
        },
        topology_key: "kubernetes.io/hostname",
    }
}

fn zones(env: &Environment, cluster: &Cluster) -> Vec<TopologySpreadConstraint> {
    if env.platform.zones < 2 || cluster.instances < 2 {
        return Vec::new();
    }
    vec![TopologySpreadConstraint {
        label_selector: Some(LabelSelector {
            match_labels: Some([("cnpg.io/cluster".to_owned(), Cluster::NAME.to_owned())].into()),
            ..LabelSelector::default()
        }),
        max_skew: 1,
        topology_key: "topology.kubernetes.io/zone".to_owned(),
        when_unsatisfiable: "DoNotSchedule".to_owned(),
        ..TopologySpreadConstraint::default()
    }]
}
