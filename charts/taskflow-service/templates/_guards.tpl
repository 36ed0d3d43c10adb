{{- /*
Combinations that a schema cannot see and that would fail late or silently. The compiler refuses them with the line of
its spec; these catch values that are written by hand.
*/}}
{{- define "taskflow-service.guards" -}}
{{- $values := .Values }}
{{- $dapr := $values.dapr }}

{{- if eq $values.probes.readiness.path $values.probes.liveness.path }}
{{- fail (printf "probes: readiness and liveness both ask %s; a service that is not ready must not be restarted" $values.probes.liveness.path) }}
{{- end }}

{{- $preStop := int $values.shutdown.preStopSeconds }}
{{- $grace := int $values.shutdown.gracePeriodSeconds }}
{{- if ge $preStop $grace }}
{{- fail (printf "shutdown: preStopSeconds %d leaves nothing of gracePeriodSeconds %d to drain" $preStop $grace) }}
{{- end }}

{{- with $values.disruptionBudget.minAvailable }}
{{- if and (not (kindIs "string" .)) (not (kindIs "string" $values.replicas)) }}
{{- if ge (int .) (int $values.replicas) }}
{{- fail (printf "disruptionBudget: minAvailable %d of %d replicas blocks every node drain" (int .) (int $values.replicas)) }}
{{- end }}
{{- end }}
{{- end }}

{{- range $name, $_ := $values.env }}
{{- if or (hasKey $values.secretEnv $name) (hasKey $values.podEnv $name) }}
{{- fail (printf "env: %s is also set by secretEnv or podEnv" $name) }}
{{- end }}
{{- end }}
{{- range $name, $_ := $values.secretEnv }}
{{- if hasKey $values.podEnv $name }}
{{- fail (printf "secretEnv: %s is also set by podEnv" $name) }}
{{- end }}
{{- end }}
{{- range $name, $_ := $values.migration.env }}
{{- if hasKey $values.migration.secretEnv $name }}
{{- fail (printf "migration.env: %s is also set by migration.secretEnv" $name) }}
{{- end }}
{{- end }}

{{- $folders := dict }}
{{- range $values.secretFiles }}
{{- if hasKey $folders .mountPath }}
{{- fail (printf "secretFiles: %s is mounted twice" .mountPath) }}
{{- end }}
{{- $_ := set $folders .mountPath true }}
{{- end }}

{{- $taken := dict }}
{{- if $dapr.enabled }}
{{- $taken = dict "3500" "daprd" "3501" "daprd" "50001" "daprd" "50002" "daprd" (toString (int $dapr.metricsPort)) "dapr.metricsPort" }}
{{- end }}
{{- range $name, $port := $values.ports }}
{{- $number := toString (int $port) }}
{{- if hasKey $taken $number }}
{{- fail (printf "ports.%s: %s is taken by %s in the same pod" $name $number (get $taken $number)) }}
{{- end }}
{{- $_ := set $taken $number (printf "ports.%s" $name) }}
{{- end }}

{{- if $dapr.enabled }}
{{- if not (hasKey $values.ports $dapr.appPort) }}
{{- fail (printf "dapr.appPort: ports.%s is not set" $dapr.appPort) }}
{{- end }}
{{- $block := int $dapr.shutdown.blockSeconds }}
{{- $sidecar := add $block (int $dapr.shutdown.gracefulSeconds) }}
{{- if $dapr.nativeSidecar }}
{{- /* a native sidecar is stopped when the service has ended */}}
{{- $sidecar = add $sidecar $preStop }}
{{- else if lt $block $preStop }}
{{- fail (printf "dapr.shutdown: blockSeconds %d ends before preStopSeconds %d; the sidecar would be gone while the service still serves" $block $preStop) }}
{{- end }}
{{- if ge (int $sidecar) $grace }}
{{- fail (printf "shutdown: gracePeriodSeconds %d must exceed the %d seconds that the sidecar may take" $grace (int $sidecar)) }}
{{- end }}
{{- end }}
{{- end }}
