//! Grafana, after the secrets: a release of the operators' stage would wait for its password, and so keep the stage
//! from beginning that brings it.

use super::{Replaced, Resources, Size, Strategy, Workload, grafana_admin, size};
use crate::artefact::{Artefacts, Place, Stage};
use crate::emit::Inputs;
use crate::emit::base::PRIORITY_OBSERVABILITY;
use crate::pins;
use crate::release::Release;
use crate::resolve::OBSERVABILITY;
use crate::spec::Part;
use serde::Serialize;
use serde_yaml::Value;
use std::collections::BTreeMap;

const GRAFANA: Size = size(20, 160, "estimate; the chart asks for nothing");
const SIDECAR: Size = size(5, 72, "estimate; the chart asks for nothing");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    admin: Admin,
    deployment_strategy: Strategy,
    priority_class_name: &'static str,
    rbac: Rbac,
    resources: Resources,
    sidecar: Sidecar,
    test_framework: Enabled,
    #[serde(rename = "grafana.ini")]
    ini: BTreeMap<&'static str, BTreeMap<&'static str, Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Admin {
    existing_secret: &'static str,
    user_key: &'static str,
    password_key: &'static str,
}

#[derive(Serialize)]
struct Rbac {
    namespaced: bool,
}

#[derive(Serialize)]
struct Sidecar {
    resources: Resources,
    dashboards: Watch,
    datasources: Watch,
}

/// `ConfigMaps` with this label.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Watch {
    enabled: bool,
    label: &'static str,
    label_value: &'static str,
    resource: &'static str,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    if !inputs.env.has(Part::Grafana) {
        return;
    }
    let watch = |label| Watch {
        enabled: true,
        label,
        label_value: "1",
        resource: "configmap",
    };
    let values = Values {
        admin: Admin {
            existing_secret: grafana_admin::SECRET,
            user_key: grafana_admin::USER,
            password_key: grafana_admin::PASSWORD,
        },
        deployment_strategy: Strategy::of(Replaced::InPlace),
        priority_class_name: PRIORITY_OBSERVABILITY,
        // Dashboards and data sources lie beside it: it need not read every ConfigMap and Secret of the cluster.
        rbac: Rbac { namespaced: true },
        resources: GRAFANA.resources(),
        sidecar: Sidecar {
            resources: SIDECAR.resources(),
            dashboards: watch("grafana_dashboard"),
            datasources: watch("grafana_datasource"),
        },
        test_framework: Enabled { enabled: false },
        ini: BTreeMap::from([
            (
                "analytics",
                BTreeMap::from([("check_for_updates", false.into()), ("reporting_enabled", false.into())]),
            ),
            ("users", BTreeMap::from([("allow_sign_up", false.into())])),
        ]),
    };
    Release::of_others(pins::GRAFANA, OBSERVABILITY, &values).add(
        artefacts,
        super::FAMILY,
        Place::Stage(Stage::Observability, None),
        "/metrics",
    );
    Workload {
        name: "grafana",
        namespace: OBSERVABILITY,
        replicas: 1,
        replaced: Replaced::InPlace,
        size: GRAFANA.and(SIDECAR).and(SIDECAR),
        volume: None,
    }
    .counted(artefacts);
}
